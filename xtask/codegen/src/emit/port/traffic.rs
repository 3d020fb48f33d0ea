//! What a port holds of each kind of granted traffic.

use std::collections::BTreeSet;

use heck::{ToShoutySnakeCase, ToSnakeCase};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::Port;
use crate::emit::{events, rust, workflows};
use crate::model::{Acknowledgement, Event, Handler, Package, TypeRef};

impl Port<'_> {
    /// The handlers of every served service, and what carries them.
    pub(super) fn services(&self) -> TokenStream {
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
            pub const DESCRIPTORS: &[u8] = crate::descriptors::FILE_DESCRIPTOR_SET;

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
                pub fn routes(&self, gateway: &::treaty_http::Gateway) -> ::treaty_http::Routes {
                    ::treaty_http::Routes::new()#(#routes)*
                }
            }
        }
    }

    /// The clients of every called service, over one channel a server.
    pub(super) fn clients(&self) -> TokenStream {
        let called: Vec<_> = self
            .deployable
            .calls
            .iter()
            .filter_map(|call| Some((call, self.model.service(&call.service)?)))
            .collect();
        let servers: BTreeSet<_> = called.iter().map(|(call, _)| call.server.as_str()).collect();
        let peers = servers.iter().map(|server| {
            let docs = format!(" How to reach `{server}`.");
            let field = rust::snake(server);
            quote!(#[doc = #docs] pub #field: ::treaty_rpc::ClientConfig)
        });
        let channels = servers.iter().map(|server| {
            let field = rust::snake(server);
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
            let channel = rust::snake(&call.server);
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

    pub(super) fn streams(&self) -> TokenStream {
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

    pub(super) fn publishers(&self) -> TokenStream {
        let published: Vec<_> =
            self.deployable.publishes.iter().filter_map(|name| self.model.event(name)).collect();
        let message = |reference: &TypeRef| rust::outer_path(reference);
        let fields = published.iter().map(|(_, event)| {
            let field = rust::snake(&event.name);
            let (message, docs) = (message(&event.rust), rust::docs(&event.comment));
            quote!(#docs pub #field: ::treaty_nats::Publisher<#message>)
        });
        let made = published.iter().map(|(_, event)| {
            let field = rust::snake(&event.name);
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

    pub(super) fn handler(&self, handler: &Handler) -> Option<TokenStream> {
        let (_, event) = self.model.event(&handler.event)?;
        let message = rust::outer_path(&event.rust);
        let name = format_ident!("{}Handler", event.name);
        let function = rust::snake(&event.name);
        let run = format_ident!("handle_{}", event.name.to_snake_case());
        let constant = handler_constant(event);
        let adapter = adapter_of(event);
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
        let ack = match handler.ack {
            Acknowledgement::Confirmed => quote!(Confirmed),
            Acknowledgement::Unconfirmed => quote!(Unconfirmed),
        };
        let ordered_by = handler.ordered_by.iter().map(|key| Literal::usize_unsuffixed(key.token));
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
                ack: ::treaty_nats::Ack::#ack,
                ordered_by: &[#(#ordered_by),*],
            };

            /// The handler in the runtime's terms.
            struct #adapter(::std::sync::Arc<dyn #name>);

            #[::async_trait::async_trait]
            impl ::treaty_nats::Handle<#message> for #adapter {
                async fn handle(
                    &self,
                    delivery: &::treaty_nats::Delivery,
                    event: #message,
                ) -> ::treaty_error::Result<()> {
                    self.0.#function(delivery, event).await
                }
            }

            #[doc = #about_run]
            ///
            /// # Errors
            /// When the durable consumer cannot be created.
            pub async fn #run(
                connection: &::treaty_nats::Connection,
                handler: ::std::sync::Arc<dyn #name>,
                shutdown: ::tokio_util::sync::CancellationToken,
                stats: ::std::sync::Arc<::treaty_nats::HandlerStats>,
                options: ::treaty_nats::HandlerOptions,
            ) -> ::treaty_error::Result<()> {
                let handler = ::std::sync::Arc::new(#adapter(handler));
                let connection = connection.clone();
                ::treaty_nats::run_handler_with(
                    connection, &#constant, handler, shutdown, stats, options,
                )
                .await
            }
        })
    }

    pub(super) fn starters(&self) -> Option<TokenStream> {
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
pub(super) fn field_of(service: &str) -> proc_macro2::Ident {
    rust::snake(service.strip_suffix("Service").unwrap_or(service))
}

/// The constants of the durable consumer of an event.
pub(super) fn handler_constant(event: &Event) -> proc_macro2::Ident {
    format_ident!("{}_HANDLER", event.name.to_shouty_snake_case())
}

/// The type that makes a port's handler one of the runtime's.
pub(super) fn adapter_of(event: &Event) -> proc_macro2::Ident {
    format_ident!("{}Adapter", event.name)
}

/// Path of a name in a service's module.
pub(super) fn trait_path(package: &Package, module: &str, name: &str) -> TokenStream {
    let (root, module, name) =
        (rust::crate_ident(&package.name), rust::ident(module), rust::ident(name));
    quote!(::#root::#module::#name)
}
