//! Iterators over pages for clients that speak gRPC.

use std::fmt::Write as _;

use super::super::HEADER;
use super::super::paged::{self, Paged};
use super::{function, up};
use crate::File;
use crate::model::{Model, Package, Service};

pub(super) fn emit(model: &Model, package: &Package, directory: &str) -> Vec<File> {
    let paged: Vec<(&Service, Paged<'_>)> = package
        .services
        .iter()
        .flat_map(|service| {
            paged::of(model, package, service).into_iter().map(move |page| (service, page))
        })
        .collect();
    if paged.is_empty() {
        return Vec::new();
    }
    let mut code =
        format!("// {HEADER}\n\nimport {{ pages }} from \"{}gateway.js\";\n", up(&package.name));
    let mut declarations = format!("// {HEADER}\n\n");
    declarations.push_str("import type { MessageInitShape } from \"@bufbuild/protobuf\";\n");
    let mut names: Vec<_> = paged
        .iter()
        .flat_map(|(_, page)| {
            let [request, response, item] =
                [page.request, page.response, page.item].map(|name| name.replace('.', "_"));
            [format!("{request}Schema"), response, item]
        })
        .collect();
    names.sort();
    names.dedup();
    let _ = writeln!(
        declarations,
        "import type {{\n  {},\n}} from \"./index.js\";",
        names.join(",\n  ")
    );
    for (service, page) in &paged {
        let name = name(package, service, page);
        let method = function(&page.method.name);
        let _ = write!(
            code,
            "\nexport function {name}(client, request = {{}}, options) {{\n  \
             const list = (page) => client.{method}(page, options);\n  \
             return pages(list, request, {{ token: \"pageToken\", next: \"nextPageToken\", items: \"{}\" }});\n}}\n",
            items(page)
        );
        let [request, response, item] =
            [page.request, page.response, page.item].map(|name| name.replace('.', "_"));
        let _ = write!(
            declarations,
            "\n/**\n * Walks the pages of `{method}` and gives every item, from the request's page on;\n \
             * the client is one of Connect for {}.\n */\n\
             export declare function {name}<Options>(\n  client: {{\n    \
             {method}(\n      request: MessageInitShape<typeof {request}Schema>,\n      \
             options?: Options,\n    ): Promise<{response}>;\n  }},\n  \
             request?: MessageInitShape<typeof {request}Schema>,\n  options?: Options,\n\
             ): AsyncGenerator<{item}, void, undefined>;\n",
            service.name
        );
    }
    vec![
        File::new(format!("{directory}pages.js"), code),
        File::new(format!("{directory}pages.d.ts"), declarations),
    ]
}

/// The iterator's name: that of the RPC, with the service where a package has it twice.
fn name(package: &Package, service: &Service, page: &Paged<'_>) -> String {
    let methods = package.services.iter().flat_map(|service| &service.methods);
    let same = methods.filter(|method| method.name == page.method.name).count();
    if same > 1 {
        format!("{}{}All", function(&service.name), page.method.name)
    } else {
        format!("{}All", function(&page.method.name))
    }
}

/// The items' name in a message: protoc-gen-es ignores `json_name`.
fn items(page: &Paged<'_>) -> String {
    let mut upper = false;
    let letters = page.items.chars().filter_map(|letter| match letter {
        '_' => {
            upper = true;
            None
        }
        _ if std::mem::take(&mut upper) => Some(letter.to_ascii_uppercase()),
        _ => Some(letter),
    });
    letters.collect()
}
