//! The in-process client, on which every door stands.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{runtime, shape};
use crate::emit::rust;
use crate::model::{Method, Package, Service};

const RUNTIME: [&str; 4] = ["run", "stream", "run", "stream"];

pub(super) fn emit(package: &Package, service: &Service) -> TokenStream {
    let handler = rust::ident(&service.name);
    let name = format_ident!("Local{}", service.name);
    let docs = format!(
        " In-process client of [`{}`]: calls the handler directly, under the same access rule, \
         validation and deadline as over a network. The gRPC adapter and the HTTP routes stand on it.",
        service.name
    );
    let functions = service.methods.iter().map(|method| function(package, method));
    quote! {
        #[doc = #docs]
        #[derive(Clone)]
        pub struct #name {
            handler: ::std::sync::Arc<dyn #handler>,
            caller: ::treaty_rpc::CallsAs,
        }

        impl #name {
            /// Stands before a handler.
            pub fn new(handler: ::std::sync::Arc<dyn #handler>) -> Self {
                Self { handler, caller: ::treaty_rpc::CallsAs::default() }
            }

            /// Stands before a handler and always calls as this caller, as a client over a
            /// network does: for tests without one.
            pub fn called_by(
                handler: ::std::sync::Arc<dyn #handler>,
                caller: ::treaty_rpc::Caller,
            ) -> Self {
                Self { handler, caller: ::treaty_rpc::CallsAs::always(caller) }
            }
        }

        #[::async_trait::async_trait]
        impl #handler for #name {
            #(#functions)*
        }
    }
}

fn function(package: &Package, method: &Method) -> TokenStream {
    let shape = shape(package, method);
    let signature = shape.signature(false);
    let run = runtime(method, "admit_and_", RUNTIME);
    let (function, constant, argument) = (&shape.function, &shape.constant, &shape.argument);
    let context = match &shape.key_field {
        Some(field) => quote!(&self.caller.of(context).keyed_by(&request.#field)),
        None => quote!(&self.caller.of(context)),
    };
    // Only who may call learns what is wrong with the request.
    let validate = if method.client_streaming {
        quote!(let #argument = ::treaty_rpc::validated(#argument);)
    } else {
        quote!(::treaty_validate::validate(&#argument)?;)
    };
    quote! {
        #signature {
            ::treaty_rpc::#run(&#constant, #context, |context| async move {
                #validate
                self.handler.#function(&context, #argument).await
            })
            .await
        }
    }
}
