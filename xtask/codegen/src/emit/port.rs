//! The port of one deployable: exactly its declared traffic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use prost::Message as _;
use prost_reflect::{FileDescriptor, Kind};
use prost_types::FileDescriptorSet;
use quote::{format_ident, quote};

use super::{events, package, rust, workflows};
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
        let path = format!("{directory}/src/descriptors.binpb");
        files.push(File::new(path, descriptors(&deployable.serves, contracts)));
    }
    files
}

/// The files that declare some services, and what their types need, without
/// comments.
///
/// Options are left out, and with them the imports that only options need: such
/// a file may be another one in another compiler, and nobody who calls asks for it.
fn descriptors(services: &[String], contracts: &Contracts) -> Vec<u8> {
    let named = services.iter().filter_map(|name| contracts.pool.get_service_by_name(name));
    let mut pending: Vec<_> = named.map(|service| service.parent_file()).collect();
    let mut found = BTreeMap::new();
    while let Some(file) = pending.pop() {
        if found.contains_key(file.name()) {
            continue;
        }
        let needed = needed_files(&file);
        let mut plain = file.file_descriptor_proto().clone();
        plain.source_code_info = None;
        plain.dependency = needed.keys().cloned().collect();
        plain.public_dependency.clear();
        plain.weak_dependency.clear();
        found.insert(file.name().to_owned(), plain);
        pending.extend(needed.into_values());
    }
    FileDescriptorSet { file: found.into_values().collect() }.encode_to_vec()
}

/// Other files that declare the types of a file's fields, methods and extensions.
fn needed_files(file: &FileDescriptor) -> BTreeMap<String, FileDescriptor> {
    let mut messages: Vec<_> = file.messages().collect();
    let mut needed: Vec<_> =
        file.extensions().map(|extension| extension.containing_message().parent_file()).collect();
    for method in file.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        needed.extend([method.input().parent_file(), method.output().parent_file()]);
    }
    let mut kinds: Vec<_> = file.extensions().map(|extension| extension.kind()).collect();
    while let Some(message) = messages.pop() {
        kinds.extend(message.fields().map(|field| field.kind()));
        messages.extend(message.child_messages());
    }
    needed.extend(kinds.into_iter().filter_map(|kind| match kind {
        Kind::Message(message) => Some(message.parent_file()),
        Kind::Enum(enumeration) => Some(enumeration.parent_file()),
        _ => None,
    }));
    let named = needed.into_iter().map(|needed| (needed.name().to_owned(), needed));
    named.filter(|(name, _)| name != file.name()).collect()
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
        self.closure().iter().any(|reference| self.model.package(&reference.package).is_none())
    }

    fn has_workflows(&self) -> bool {
        !self.deployable.runs.is_empty() || !self.deployable.starts.is_empty()
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
        let _ = write!(
            text,
            "\n[features]\n# Mocks of every service, for tests.\nmock = [{}]\n",
            mocked.collect::<Vec<_>>().join(", ")
        );
        let mut lines = vec!["treaty-error.workspace = true".to_owned()];
        let mut need = |wanted: bool, names: &[&str]| {
            if wanted {
                lines.extend(names.iter().map(|name| format!("{name}.workspace = true")));
            }
        };
        need(self.serves(), &["axum", "treaty-http", "treaty-rpc"]);
        need(!self.deployable.calls.is_empty(), &["serde", "treaty-rpc"]);
        need(self.has_events(), &["async-trait", "tokio-util", "treaty-nats"]);
        need(self.has_workflows(), &["treaty-temporal"]);
        need(self.meets_well_known(), &["pbjson-types"]);
        for (name, features) in &packages {
            let Some(found) = self.model.package(name) else { continue };
            let list = features.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>();
            lines.push(if list.is_empty() {
                format!("{}.workspace = true", found.crate_name)
            } else {
                let list = list.join(", ");
                format!("{} = {{ workspace = true, features = [{list}] }}", found.crate_name)
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
        text.push_str(
            "\n#![forbid(unsafe_code)]\n\n#[rustfmt::skip]\nmod port;\n\npub use port::*;\n",
        );
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
                pending.extend(message.refers.iter().cloned());
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
            }
        }
        for name in self.deployable.runs.iter().chain(&self.deployable.starts) {
            if let Some((package, service)) = self.model.workflow_service(name) {
                names.entry(package.name.clone()).or_default().insert(service.module.clone());
            }
        }
        let modules = names.iter().map(|(package, names)| self.module(package, names));
        quote!(#(#modules)*)
    }

    fn module(&self, package: &str, names: &BTreeSet<String>) -> TokenStream {
        let paths = names.iter().map(|name| {
            let segments = name.split("::").map(rust::ident);
            quote!(#(#segments)::*)
        });
        let Some(found) = self.model.package(package) else {
            return quote! {
                /// The well-known types of protobuf that this service meets.
                pub mod well_known {
                    pub use ::pbjson_types::{#(#paths),*};
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

    /// The handlers of every served service, and what carries them.
    fn services(&self) -> TokenStream {
        let served: Vec<_> =
            self.deployable.serves.iter().filter_map(|name| self.model.service(name)).collect();
        let fields = served.iter().map(|(package, service)| {
            let (field, docs) =
                (field_of(&service.name), format!(" Answers `{}`.", service.full_name));
            let path = trait_path(package, &service.module, &service.name);
            quote!(#[doc = #docs] pub #field: ::std::sync::Arc<dyn #path>)
        });
        let registrations = served.iter().map(|(package, service)| {
            let field = field_of(&service.name);
            let adapter = format_ident!("{}Grpc", service.name);
            let (root, module) = (rust::crate_ident(&package.name), rust::ident(&service.module));
            quote! {
                let server = ::#root::#module::#adapter::register(
                    server,
                    ::std::sync::Arc::clone(&self.#field),
                );
            }
        });
        let routes = served.iter().map(|(package, service)| {
            let field = field_of(&service.name);
            let (root, module) = (rust::crate_ident(&package.name), rust::ident(&service.module));
            quote! {
                .merge(::#root::#module::routes(::std::sync::Arc::clone(&self.#field), gateway))
            }
        });
        quote! {
            /// The contracts of the services that this deployable answers, as a
            /// serialised `google.protobuf.FileDescriptorSet`, for gRPC reflection.
            pub const DESCRIPTORS: &[u8] = include_bytes!("descriptors.binpb");

            /// The handlers of every service that this deployable answers.
            #[derive(Clone)]
            pub struct Services {
                #(#fields),*
            }

            impl Services {
                /// Answers them by gRPC.
                pub fn register(&self, server: ::treaty_rpc::GrpcServer) -> ::treaty_rpc::GrpcServer {
                    #(#registrations)*
                    server.with_reflection(DESCRIPTORS)
                }

                /// Answers them by HTTP and JSON.
                pub fn routes(&self, gateway: &::treaty_http::Gateway) -> ::axum::Router {
                    ::axum::Router::new()#(#routes)*
                }
            }
        }
    }

    /// The clients of every called service, over one channel a server.
    fn clients(&self) -> TokenStream {
        let called: Vec<_> = self
            .deployable
            .calls
            .iter()
            .filter_map(|call| Some((call, self.model.service(&call.service)?)))
            .collect();
        let servers: BTreeSet<_> = called.iter().map(|(call, _)| call.server.as_str()).collect();
        let peers = servers.iter().map(|server| {
            let docs = format!(" How to reach `{server}`.");
            let field = rust::ident(&server.to_snake_case());
            quote!(#[doc = #docs] pub #field: ::treaty_rpc::ClientConfig)
        });
        let channels = servers.iter().map(|server| {
            let field = rust::ident(&server.to_snake_case());
            quote!(let #field = ::treaty_rpc::connect_lazy(&peers.#field)?;)
        });
        let fields = called.iter().map(|(_, (package, service))| {
            let field = field_of(&service.name);
            let path = trait_path(package, &service.module, &service.name);
            let docs = format!(" Calls `{}`.", service.full_name);
            quote!(#[doc = #docs] pub #field: ::std::sync::Arc<dyn #path>)
        });
        let clients = called.iter().map(|(call, (package, service))| {
            let field = field_of(&service.name);
            let channel = rust::ident(&call.server.to_snake_case());
            let client = format_ident!("{}Client", service.name);
            let (root, module) = (rust::crate_ident(&package.name), rust::ident(&service.module));
            quote!(#field: ::std::sync::Arc::new(::#root::#module::#client::new(#channel.clone())))
        });
        quote! {
            /// How to reach the deployables that answer this one's calls.
            #[derive(Clone, Debug, ::serde::Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct Peers {
                #(#peers),*
            }

            /// Clients of every service that this deployable may call.
            #[derive(Clone)]
            pub struct Clients {
                #(#fields),*
            }

            impl Clients {
                /// Makes the clients; connections are opened by the first call.
                ///
                /// # Errors
                /// When an address is not usable.
                pub fn connect(peers: &Peers) -> ::treaty_error::Result<Self> {
                    #(#channels)*
                    Ok(Self { #(#clients),* })
                }
            }
        }
    }

    fn streams(&self) -> TokenStream {
        let streams: BTreeSet<_> = self
            .granted_events()
            .filter_map(|name| self.model.event(name))
            .map(|(_, event)| (&event.stream_package, &event.stream))
            .collect();
        let streams = streams.into_iter().map(|(package, stream)| {
            let (root, constant) = (rust::crate_ident(package), events::stream_constant(stream));
            quote!(&::#root::events::#constant)
        });
        quote! {
            /// Every stream that this deployable publishes to or reads from.
            pub const STREAMS: &[&::treaty_nats::StreamSpec] = &[#(#streams),*];
        }
    }

    fn publishers(&self) -> TokenStream {
        let published: Vec<_> =
            self.deployable.publishes.iter().filter_map(|name| self.model.event(name)).collect();
        let message = |reference: &TypeRef| rust::type_path(reference, "");
        let fields = published.iter().map(|(_, event)| {
            let field = rust::ident(&event.name.to_snake_case());
            let (message, docs) = (message(&event.rust), rust::docs(&event.comment));
            quote!(#docs pub #field: ::treaty_nats::Publisher<#message>)
        });
        let made = published.iter().map(|(_, event)| {
            let field = rust::ident(&event.name.to_snake_case());
            quote!(#field: ::treaty_nats::Publisher::new(connection))
        });
        quote! {
            /// Publishers of every event that this deployable may publish.
            #[derive(Clone)]
            pub struct Publishers {
                #(#fields),*
            }

            impl Publishers {
                /// Publishes over a connection.
                pub fn new(connection: &::treaty_nats::Connection) -> Self {
                    Self { #(#made),* }
                }
            }
        }
    }

    fn handler(&self, handler: &crate::model::Handler) -> Option<TokenStream> {
        let (_, event) = self.model.event(&handler.event)?;
        let message = rust::type_path(&event.rust, "");
        let name = format_ident!("{}Handler", event.name);
        let function = rust::ident(&event.name.to_snake_case());
        let run = format_ident!("handle_{}", event.name.to_snake_case());
        let constant = format_ident!(
            "{}_HANDLER",
            heck::ToShoutySnakeCase::to_shouty_snake_case(event.name.as_str())
        );
        let (durable, full_name) = (&handler.durable, &event.full_name);
        let docs = rust::docs(&event.comment);
        let about = format!(" Handles [`{}`].", event.name);
        let about_spec = format!(" The durable consumer of [`{name}`].");
        let about_run = format!(
            " Receives [`{}`] until `shutdown`, sharing the work with every other process of this deployable.",
            event.name
        );
        let concurrency = rust::integer(handler.concurrency);
        let ack_wait = rust::duration(handler.ack_wait);
        let max_deliver = rust::integer(handler.max_deliver);
        let backoff = handler.backoff.iter().map(|wait| rust::duration(*wait));
        Some(quote! {
            #[doc = #about]
            #[doc = ""]
            #docs
            #[::async_trait::async_trait]
            pub trait #name: Send + Sync + 'static {
                /// Handles one delivery. `Ok` acknowledges it; an error's code decides
                /// whether it comes again or is set aside.
                async fn #function(
                    &self,
                    delivery: &::treaty_nats::Delivery,
                    event: #message,
                ) -> ::treaty_error::Result<()>;
            }

            #[doc = #about_spec]
            pub const #constant: ::treaty_nats::HandlerSpec = ::treaty_nats::HandlerSpec {
                durable: #durable,
                stream: <#message as ::treaty_nats::Event>::STREAM,
                event: #full_name,
                filter: <#message as ::treaty_nats::Event>::SUBJECTS,
                concurrency: #concurrency,
                ack_wait: #ack_wait,
                max_deliver: #max_deliver,
                backoff: &[#(#backoff),*],
            };

            #[doc = #about_run]
            ///
            /// # Errors
            /// When the durable consumer cannot be created.
            pub async fn #run(
                connection: &::treaty_nats::Connection,
                handler: ::std::sync::Arc<dyn #name>,
                shutdown: ::tokio_util::sync::CancellationToken,
                stats: ::std::sync::Arc<::treaty_nats::HandlerStats>,
            ) -> ::treaty_error::Result<()> {
                struct Adapter(::std::sync::Arc<dyn #name>);

                #[::async_trait::async_trait]
                impl ::treaty_nats::Handle<#message> for Adapter {
                    async fn handle(
                        &self,
                        delivery: &::treaty_nats::Delivery,
                        event: #message,
                    ) -> ::treaty_error::Result<()> {
                        self.0.#function(delivery, event).await
                    }
                }

                let handler = ::std::sync::Arc::new(Adapter(handler));
                ::treaty_nats::run_handler(connection.clone(), &#constant, handler, shutdown, stats).await
            }
        })
    }

    fn starters(&self) -> Option<TokenStream> {
        let started: Vec<_> = self
            .deployable
            .starts
            .iter()
            .filter_map(|name| self.model.workflow_service(name))
            .flat_map(|(package, service)| {
                service.workflows.iter().map(move |workflow| (package, service, workflow))
            })
            .collect();
        if started.is_empty() {
            return None;
        }
        let fields = started.iter().map(|(package, service, workflow)| {
            let field = workflows::starter_field(workflow);
            let (root, module) = (rust::crate_ident(&package.name), rust::ident(&service.module));
            let starter = workflows::starter_type(workflow);
            let docs = rust::docs(&workflow.comment);
            quote!(#docs pub #field: ::#root::#module::#starter)
        });
        let made = started.iter().map(|(_, _, workflow)| {
            let field = workflows::starter_field(workflow);
            quote!(#field: ::treaty_temporal::Starter::new(::std::sync::Arc::clone(&client)))
        });
        Some(quote! {
            /// Starters of every workflow that this deployable may start.
            #[derive(Clone)]
            pub struct Starters {
                #(#fields),*
            }

            impl Starters {
                /// Starts workflows over a connection.
                pub fn new(client: ::std::sync::Arc<dyn ::treaty_temporal::WorkflowClient>) -> Self {
                    Self { #(#made),* }
                }
            }
        })
    }
}

/// Name of a service's field: `AthletesService` -> `athletes`.
fn field_of(service: &str) -> proc_macro2::Ident {
    rust::ident(&service.strip_suffix("Service").unwrap_or(service).to_snake_case())
}

fn trait_path(package: &Package, module: &str, name: &str) -> TokenStream {
    let (root, module, name) =
        (rust::crate_ident(&package.name), rust::ident(module), rust::ident(name));
    quote!(::#root::#module::#name)
}
