//! The Python distribution: what it requires, its packages, and iterators over pages.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::paged::{self, Paged};
use super::{HEADER, Settings, directories, told};
use crate::File;
use crate::model::{Model, Service};

const ROOT: &str = "python/src/";

pub(super) fn emit(model: &Model, settings: &Settings, generated: &[File]) -> Vec<File> {
    let mut files = vec![File::new("python/pyproject.toml", manifest(settings, generated))];
    let mut packages = BTreeSet::new();
    for directory in directories(generated, ROOT, ".py") {
        let parts: Vec<_> = directory.split('/').collect();
        packages.extend((1..=parts.len()).map(|length| parts[..length].join("/")));
    }
    for package in &packages {
        files.push(File::new(format!("{ROOT}{package}/__init__.py"), format!("# {HEADER}\n")));
        if !package.contains('/') {
            // Tells type checkers that the package has types (PEP 561).
            files.push(File::new(format!("{ROOT}{package}/py.typed"), ""));
        }
    }
    for package in &model.packages {
        let directory = package.name.replace('.', "/");
        if !packages.contains(&directory) {
            continue;
        }
        for service in &package.services {
            let Some(module) = module_of(generated, &directory, service) else { continue };
            let messages = format!("{ROOT}{directory}/{module}_pb2.pyi");
            let messages = generated.iter().find(|file| file.path == messages).map(File::text);
            let mut paged = paged::of(model, package, service);
            // One module is imported: that with the stub, which almost always has the messages.
            paged.retain(|page| {
                let classes = [page.request, page.item].map(|name| format!("\nclass {name}("));
                messages
                    .as_ref()
                    .is_some_and(|text| classes.iter().all(|class| text.contains(class)))
            });
            if !paged.is_empty() {
                let path = format!("{ROOT}{directory}/{}_pages.py", service.module);
                files.push(File::new(path, pages(&package.name, module, service, &paged)));
            }
        }
    }
    files
}

fn manifest(settings: &Settings, generated: &[File]) -> String {
    let Settings { python, version, license, .. } = settings;
    // The oldest releases that run what the plugins have made.
    let mut requirements = String::new();
    for (library, mark) in
        [("grpcio", "GRPC_GENERATED_VERSION = '"), ("protobuf", "# Protobuf Python Version: ")]
    {
        if let Some(oldest) = told(generated, ROOT, mark) {
            let _ = writeln!(requirements, "    \"{library}>={oldest}\",");
        }
    }
    format!(
        "# {HEADER}\n\n\
         [build-system]\nrequires = [\"setuptools>=77\"]\nbuild-backend = \"setuptools.build_meta\"\n\n\
         [project]\nname = \"{python}\"\nversion = \"{version}\"\n\
         description = \"Messages and gRPC stubs of the contracts.\"\nlicense = \"{license}\"\n\
         requires-python = \">=3.10\"\ndependencies = [\n{requirements}]\n\n\
         [tool.setuptools.packages.find]\nwhere = [\"src\"]\n\n\
         [tool.setuptools.package-data]\n\"*\" = [\"*.pyi\", \"py.typed\"]\n"
    )
}

/// The module that the plugin has put a service's stub and messages into, without its ending.
fn module_of<'a>(generated: &'a [File], directory: &str, service: &Service) -> Option<&'a str> {
    let prefix = format!("{ROOT}{directory}/");
    let class = format!("\nclass {}Stub:", service.name);
    generated.iter().find_map(|file| {
        let module = file.path.strip_prefix(&prefix)?.strip_suffix("_pb2_grpc.pyi")?;
        file.text().contains(&class).then_some(module)
    })
}

fn pages(package: &str, module: &str, service: &Service, paged: &[Paged<'_>]) -> String {
    let (stub, service_name) = (format!("{}Stub", service.name), &service.name);
    let mut text = format!(
        "# {HEADER}\n\"\"\"Iterators over the pages of {service_name}.\"\"\"\n\n\
         from collections.abc import Iterator\n\n\
         from {package} import {module}_pb2 as _messages\n\
         from {package}.{module}_pb2_grpc import {stub}\n"
    );
    for page in paged {
        let (method, function) = (&page.method.name, &page.method.rust_name);
        let (request, item, items) = (page.request, page.item, page.items);
        let _ = write!(
            text,
            "\n\ndef {function}_all(\n    stub: {stub},\n    request: _messages.{request},\n    \
             timeout: float | None = None,\n    \
             metadata: tuple[tuple[str, str | bytes], ...] | None = None,\n\
             ) -> Iterator[_messages.{item}]:\n    \
             \"\"\"Walks the pages of {method} and gives every item, from the request's page on.\n\n    \
             The timeout, in seconds, and the metadata are those of each page's call.\n    \"\"\"\n    \
             page = _messages.{request}()\n    page.CopyFrom(request)\n    while True:\n        \
             response = stub.{method}(page, timeout=timeout, metadata=metadata)\n        \
             yield from response.{items}\n        \
             if not response.next_page_token:\n            return\n        \
             page.page_token = response.next_page_token\n"
        );
    }
    text
}
