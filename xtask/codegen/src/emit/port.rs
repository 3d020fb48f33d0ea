//! The port of one deployable: exactly its declared traffic.

mod testing;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{descriptors, package, rust};
use crate::File;
use crate::load::Contracts;
use crate::model::{Deployable, Model, Package, TypeRef};

/// Writes the crate of a deployable's port.
pub(super) fn emit(model: &Model, deployable: &Deployable, contracts: &Contracts) -> Vec<File> {
    let port = Port { model, deployable };
    let directory = format!("ports/{}", deployable.crate_name);
    let mut files = vec![
        File::new(format!("{directory}/Cargo.toml"), port.manifest()),
        File::new(format!("{directory}/src/lib.rs"), port.library()),
        File::new(format!("{directory}/src/port.rs"), rust::file(port.body())),
    ];
    if port.serves() {
        let path = format!("{directory}/src/descriptors.rs");
        files.push(File::new(path, descriptors::emit(&deployable.serves, contracts)));
    }
    files
}

struct Port<'a> {
    model: &'a Model,
    deployable: &'a Deployable,
}

impl Port<'_> {
    fn serves(&self) -> bool {
        !self.deployable.serves.is_empty()
    }

    fn has_events(&self) -> bool {
        !self.deployable.publishes.is_empty() || !self.deployable.handles.is_empty()
    }

    fn meets_well_known(&self) -> bool {
        let closure = self.closure();
        let mut well_known = closure.iter().filter(|reference| reference.is_well_known());
        well_known.any(|reference| rust::is_library_type(&reference.path))
    }

    fn has_workflows(&self) -> bool {
        !self.deployable.runs.is_empty() || !self.deployable.starts.is_empty()
    }

    fn starts_workflows(&self) -> bool {
        let started =
            self.deployable.starts.iter().filter_map(|name| self.model.workflow_service(name));
        started.flat_map(|(_, service)| &service.workflows).next().is_some()
    }

    /// Packages of everything granted, each with the transports that carry it.
    fn packages(&self) -> BTreeMap<&str, BTreeSet<&'static str>> {
        let mut packages: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
        let mut grant = |package: Option<&'_ Package>, features: &[&'static str]| {
            if let Some(package) = package {
                let name = self.model.package(&package.name).map_or("", |found| &found.name);
                packages.entry(name).or_default().extend(features);
            }
        };
        for name in &self.deployable.serves {
            grant(self.model.service(name).map(|found| found.0), &["grpc", "http"]);
        }
        for call in &self.deployable.calls {
            grant(self.model.service(&call.service).map(|found| found.0), &["grpc"]);
        }
        for name in self.granted_events() {
            let found = self.model.event(name);
            grant(found.map(|found| found.0), &["nats"]);
            grant(found.and_then(|found| self.model.package(&found.1.stream_package)), &["nats"]);
        }
        for name in self.deployable.runs.iter().chain(&self.deployable.starts) {
            grant(self.model.workflow_service(name).map(|found| found.0), &["temporal"]);
        }
        for reference in self.closure() {
            grant(self.model.package(&reference.package), &[]);
        }
        packages
    }

    fn granted_events(&self) -> impl Iterator<Item = &String> {
        let handled = self.deployable.handles.iter().map(|handler| &handler.event);
        self.deployable.publishes.iter().chain(handled)
    }

    fn manifest(&self) -> String {
        let description =
            format!("The declared traffic of the deployable `{}`.", self.deployable.name);
        let mut text = package::manifest_head(&self.deployable.crate_name, &description);
        let packages = self.packages();
        let mocked = packages.keys().filter_map(|name| {
            let found = self.model.package(name)?;
            (!found.services.is_empty()).then(|| format!("\"{}/mock\"", found.crate_name))
        });
        let runtimes =
            [("treaty-nats", self.has_events()), ("treaty-temporal", self.has_workflows())];
        let runtimes = runtimes.iter().filter(|(_, needed)| *needed);
        let mocked = mocked.chain(runtimes.map(|(name, _)| format!("\"{name}/testing\"")));
        let _ = write!(
            text,
            "\n[features]\n# Mocks of every service and stand-ins for all other traffic, for tests.\nmock = [{}]\n",
            mocked.collect::<Vec<_>>().join(", ")
        );
        let mut lines = vec!["treaty-error.workspace = true".to_owned()];
        let mut need = |wanted: bool, names: &[&str]| {
            if wanted {
                lines.extend(names.iter().map(|name| format!("{name}.workspace = true")));
            }
        };
        need(self.serves(), &["treaty-http", "treaty-rpc"]);
        need(!self.deployable.calls.is_empty(), &["serde", "treaty-rpc"]);
        need(self.has_events(), &["async-trait", "tokio-util", "treaty-nats"]);
        need(self.has_workflows(), &["treaty-temporal"]);
        need(self.meets_well_known(), &["prost-types"]);
        for (name, features) in &packages {
            let Some(found) = self.model.package(name) else { continue };
            let list = features.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>();
            lines.push(if list.is_empty() {
                format!("{0} = {{ path = \"../../packages/{0}\" }}", found.crate_name)
            } else {
                let list = list.join(", ");
                format!(
                    "{0} = {{ path = \"../../packages/{0}\", features = [{list}] }}",
                    found.crate_name
                )
            });
        }
        lines.sort();
        lines.dedup();
        let _ = write!(text, "\n[dependencies]\n{}\n", lines.join("\n"));
        text
    }

    fn library(&self) -> String {
        let mut text = rust::HEADER.to_owned();
        let _ = writeln!(
            text,
            "//! The port of `{}`: exactly its declared traffic.",
            self.deployable.name
        );
        if !self.deployable.comment.is_empty() {
            text.push_str("//!\n");
        }
        for line in self.deployable.comment.lines() {
            let _ = writeln!(text, "//!{line}");
        }
        text.push_str("\n#![forbid(unsafe_code)]\n\n");
        if self.serves() {
            text.push_str("#[rustfmt::skip]\nmod descriptors;\n");
        }
        text.push_str("#[rustfmt::skip]\nmod port;\n\npub use port::*;\n");
        text
    }

    fn body(&self) -> TokenStream {
        let modules = self.modules();
        let mut sections = vec![quote!(#modules)];
        if self.serves() {
            sections.push(self.services());
        }
        if !self.deployable.calls.is_empty() {
            sections.push(self.clients());
        }
        if self.has_events() {
            sections.push(self.streams());
        }
        if !self.deployable.publishes.is_empty() {
            sections.push(self.publishers());
        }
        sections.extend(self.deployable.handles.iter().filter_map(|handler| self.handler(handler)));
        sections.extend(self.starters());
        sections.extend(self.testing());
        quote!(#(#sections)*)
    }

    /// Every message that the granted traffic can carry.
    fn closure(&self) -> BTreeSet<TypeRef> {
        let mut pending: Vec<TypeRef> = Vec::new();
        let calls = self.deployable.calls.iter().map(|call| &call.service);
        for name in self.deployable.serves.iter().chain(calls) {
            if let Some((_, service)) = self.model.service(name) {
                let types =
                    service.methods.iter().flat_map(|method| [&method.input, &method.output]);
                pending.extend(types.cloned());
            }
        }
        pending.extend(
            self.granted_events().filter_map(|name| Some(self.model.event(name)?.1.rust.clone())),
        );
        for name in self.deployable.runs.iter().chain(&self.deployable.starts) {
            if let Some((_, service)) = self.model.workflow_service(name) {
                let workflows =
                    service.workflows.iter().flat_map(|item| [&item.input, &item.output]);
                let activities =
                    service.activities.iter().flat_map(|item| [&item.input, &item.output]);
                pending.extend(workflows.chain(activities).cloned());
            }
        }
        let mut found = BTreeSet::new();
        while let Some(reference) = pending.pop() {
            if !found.insert(reference.clone()) {
                continue;
            }
            let messages = self.model.packages.iter().flat_map(|package| &package.messages);
            if let Some(message) = messages.clone().find(|message| message.rust == reference) {
                pending.extend(message.refers().cloned());
            }
        }
        found
    }

    /// One module a package with the granted names, and `well_known`.
    fn modules(&self) -> TokenStream {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for reference in self.closure() {
            // A nested type is reached through the module named after its message.
            let top = reference.path.split("::").next().unwrap_or_default().to_owned();
            names.entry(reference.package).or_default().insert(top);
        }
        let calls = self.deployable.calls.iter().map(|call| &call.service);
        for name in self.deployable.serves.iter().chain(calls) {
            if let Some((package, service)) = self.model.service(name) {
                let entry = names.entry(package.name.clone()).or_default();
                entry.insert(service.module.clone());
                entry.insert(format!("{}::{}", service.module, service.name));
                entry.insert(format!("{}::Local{}", service.module, service.name));
                if service.methods.iter().any(|method| method.page.is_some()) {
                    entry.insert(format!("{}::{}Pages", service.module, service.name));
                }
            }
        }
        for name in self.deployable.runs.iter().chain(&self.deployable.starts) {
            if let Some((package, service)) = self.model.workflow_service(name) {
                names.entry(package.name.clone()).or_default().insert(service.module.clone());
            }
        }
        // A body that is no JSON is a type of the platform, which services know anyway.
        names.retain(|package, _| {
            package == "google.protobuf" || self.model.package(package).is_some()
        });
        let modules = names.iter().map(|(package, names)| self.module(package, names));
        quote!(#(#modules)*)
    }

    fn module(&self, package: &str, names: &BTreeSet<String>) -> TokenStream {
        let is_well_known = self.model.package(package).is_none();
        let own = |name: &&String| !is_well_known || rust::is_library_type(name);
        let paths = names.iter().filter(own).map(|name| {
            let segments = name.split("::").map(rust::ident);
            quote!(#(#segments)::*)
        });
        let Some(found) = self.model.package(package) else {
            return quote! {
                /// The well-known types of protobuf that this service meets.
                pub mod well_known {
                    pub use ::prost_types::{#(#paths),*};
                }
            };
        };
        let module = rust::ident(&found.module);
        let root = rust::crate_ident(package);
        let docs = format!(" What this service meets of `{package}`.");
        let mocks = found.services.iter().filter(|service| names.contains(&service.module));
        let mocks = mocks.map(|service| {
            let (module, mock) =
                (rust::ident(&service.module), format_ident!("Mock{}", service.name));
            quote!(#[cfg(feature = "mock")] pub use ::#root::#module::#mock;)
        });
        quote! {
            #[doc = #docs]
            pub mod #module {
                pub use ::#root::{#(#paths),*};
                #(#mocks)*
            }
        }
    }
}
