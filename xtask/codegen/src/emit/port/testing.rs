//! What stands in for a port's traffic in tests without servers.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Port;
use super::traffic::{adapter_of, field_of, trait_path};
use crate::emit::rust;
use crate::model::{Event, Handler, Package, Service};

impl Port<'_> {
    /// The module `testing`; nothing for a port without traffic that can be stood in for.
    pub(super) fn testing(&self) -> Option<TokenStream> {
        let called: Vec<_> = self
            .deployable
            .calls
            .iter()
            .filter_map(|call| self.model.service(&call.service))
            .collect();
        let published: Vec<_> =
            self.deployable.publishes.iter().filter_map(|name| self.model.event(name)).collect();
        let mut sections = Vec::new();
        if !called.is_empty() {
            sections.push(mock_clients(&called));
            sections.push(in_process_clients(&self.deployable.name, &called));
        }
        if !published.is_empty() {
            let events: Vec<_> = published.iter().map(|(_, event)| *event).collect();
            sections.push(recording_publishers(&events));
        }
        sections.extend(self.deployable.handles.iter().filter_map(|handler| self.harness(handler)));
        if self.starts_workflows() {
            sections.push(in_memory_starters());
        }
        if self.has_events() {
            sections.push(quote!(
                pub use ::treaty_nats::testing::*;
            ));
        }
        if self.has_workflows() {
            sections.push(quote!(
                pub use ::treaty_temporal::testing::*;
            ));
        }
        if sections.is_empty() {
            return None;
        }
        Some(quote! {
            /// What stands in for all of it in tests without servers.
            #[cfg(feature = "mock")]
            pub mod testing {
                #(#sections)*
            }
        })
    }

    fn harness(&self, handler: &Handler) -> Option<TokenStream> {
        let (_, event) = self.model.event(&handler.event)?;
        let message = rust::outer_path(&event.rust);
        let function = rust::snake(&event.name);
        let name = format_ident!("{}Handler", event.name);
        let adapter = adapter_of(event);
        let constant = super::traffic::handler_constant(event);
        let docs = format!(
            " Delivers [`{0}`](super::{1}) to a handler and says what becomes of it, without a broker.",
            event.name, constant
        );
        Some(quote! {
            #[doc = #docs]
            pub fn #function(
                handler: ::std::sync::Arc<dyn super::#name>,
            ) -> ::treaty_nats::testing::HandlerHarness<#message> {
                let handler = ::std::sync::Arc::new(super::#adapter(handler));
                ::treaty_nats::testing::HandlerHarness::new(&super::#constant, handler)
            }
        })
    }
}

fn mock_clients(called: &[(&Package, &Service)]) -> TokenStream {
    let fields = called.iter().map(|(package, service)| {
        let field = field_of(&service.name);
        let path = trait_path(package, &service.module, &format!("Mock{}", service.name));
        let docs = format!(" Stands in for `{}`.", service.full_name);
        quote!(#[doc = #docs] pub #field: #path)
    });
    let made = called.iter().map(|(_, service)| {
        let field = field_of(&service.name);
        quote!(#field: ::std::sync::Arc::new(self.#field))
    });
    quote! {
        /// A mock of every service that this deployable may call: say what each expects,
        /// then make clients of them. A call that nothing was said of fails its test.
        #[derive(Default)]
        pub struct MockClients {
            #(#fields),*
        }

        impl MockClients {
            /// The clients.
            pub fn into_clients(self) -> super::Clients {
                super::Clients { #(#made),* }
            }
        }
    }
}

fn in_process_clients(deployable: &str, called: &[(&Package, &Service)]) -> TokenStream {
    let parameters = called.iter().map(|(package, service)| {
        let field = field_of(&service.name);
        let path = trait_path(package, &service.module, &service.name);
        quote!(#field: ::std::sync::Arc<dyn #path>)
    });
    let made = called.iter().map(|(package, service)| {
        let field = field_of(&service.name);
        let local = trait_path(package, &service.module, &format!("Local{}", service.name));
        quote! {
            #field: ::std::sync::Arc::new(
                #local::called_by(#field, ::treaty_rpc::Caller::Deployable(#deployable.into())),
            )
        }
    });
    quote! {
        /// Clients that call these implementations in this process, as this deployable and
        /// under the contracts' access rules and deadlines.
        pub fn in_process_clients(#(#parameters),*) -> super::Clients {
            super::Clients { #(#made),* }
        }
    }
}

fn recording_publishers(published: &[&Event]) -> TokenStream {
    let fields = published.iter().map(|event| {
        let field = rust::snake(&event.name);
        let message = rust::outer_path(&event.rust);
        let docs = format!(" Records `{}`.", event.full_name);
        quote! {
            #[doc = #docs]
            pub #field: ::std::sync::Arc<::treaty_nats::testing::RecordingPublisher<#message>>
        }
    });
    quote! {
        /// A publisher of every event that this deployable may publish, which keeps what it
        /// is given and knows duplicates as a stream does.
        #[derive(Clone, Debug, Default)]
        pub struct RecordingPublishers {
            #(#fields),*
        }
    }
}

fn in_memory_starters() -> TokenStream {
    quote! {
        /// Starters of every workflow that this deployable may start, and the memory that
        /// keeps what they are asked and answers as it was told.
        pub fn in_memory_starters() -> (
            super::Starters,
            ::std::sync::Arc<::treaty_temporal::testing::InMemoryWorkflows>,
        ) {
            let workflows =
                ::std::sync::Arc::new(::treaty_temporal::testing::InMemoryWorkflows::new());
            let client: ::std::sync::Arc<dyn ::treaty_temporal::WorkflowClient> = workflows.clone();
            (super::Starters::new(client), workflows)
        }
    }
}
