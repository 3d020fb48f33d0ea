//! The gRPC server adapter and the gRPC client.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{runtime, shape};
use crate::emit::rust;
use crate::model::{Method, Package, Service};

const SERVER: [&str; 4] = ["unary", "server_streaming", "client_streaming", "bidi_streaming"];
const CLIENT: [&str; 4] =
    ["call", "call_server_streaming", "call_client_streaming", "call_bidi_streaming"];

pub(super) fn server(package: &Package, service: &Service) -> TokenStream {
    let root = rust::root(package);
    let handler = rust::ident(&service.name);
    let name = format_ident!("{}Grpc", service.name);
    let local = format_ident!("Local{}", service.name);
    let server_module = format_ident!("{}_server", rust::stub(&service.name));
    let server = format_ident!("{}Server", service.name);
    let docs = format!(" gRPC server adapter of [`{}`].", service.name);
    let functions = service.methods.iter().map(|method| answer(package, method));
    quote! {
        #[doc = #docs]
        #[cfg(feature = "grpc")]
        pub struct #name {
            local: #local,
            authenticator: ::std::sync::Arc<::treaty_rpc::Authenticator>,
        }

        #[cfg(feature = "grpc")]
        impl #name {
            /// Adds the handler to a server.
            pub fn register(
                server: ::treaty_rpc::GrpcServer,
                handler: ::std::sync::Arc<dyn #handler>,
            ) -> ::treaty_rpc::GrpcServer {
                let limits = server.limits();
                let adapter =
                    Self { local: #local::new(handler), authenticator: server.authenticator() };
                server.add(
                    #root::grpc::#server_module::#server::new(adapter)
                        .max_decoding_message_size(limits.decode)
                        .max_encoding_message_size(limits.encode),
                )
            }
        }

        #[cfg(feature = "grpc")]
        #[::async_trait::async_trait]
        impl #root::grpc::#server_module::#handler for #name {
            #(#functions)*
        }
    }
}

/// One function of the trait that tonic generates for servers.
fn answer(package: &Package, method: &Method) -> TokenStream {
    let shape = shape(package, method);
    let (function, input, output) = (&shape.function, &shape.input, &shape.output);
    let argument = &shape.argument;
    let runtime = runtime(method, "", SERVER);
    let request = match method.client_streaming {
        true => quote!(::tonic::Streaming<#input>),
        false => quote!(#input),
    };
    let stream = format_ident!("{}Stream", method.name);
    let (associated, response) = match method.server_streaming {
        true => {
            let associated = quote!(type #stream = ::treaty_rpc::StatusStream<#output>;);
            (associated, quote!(Self::#stream))
        }
        false => (quote!(), quote!(#output)),
    };
    quote! {
        #associated

        async fn #function(
            &self,
            request: ::tonic::Request<#request>,
        ) -> Result<::tonic::Response<#response>, ::tonic::Status> {
            ::treaty_rpc::#runtime(&self.authenticator, request, |context, #argument| async move {
                self.local.#function(&context, #argument).await
            })
            .await
        }
    }
}

pub(super) fn client(package: &Package, service: &Service) -> TokenStream {
    let root = rust::root(package);
    let handler = rust::ident(&service.name);
    let name = format_ident!("{}Client", service.name);
    let client_module = format_ident!("{}_client", rust::stub(&service.name));
    let docs = format!(
        " gRPC client of [`{}`]: the same trait, answered by another process.",
        service.name
    );
    let functions = service.methods.iter().map(|method| call(package, method));
    quote! {
        #[doc = #docs]
        #[cfg(feature = "grpc")]
        #[derive(Clone)]
        pub struct #name {
            channel: ::treaty_rpc::Channel,
            client: #root::grpc::#client_module::#name<::treaty_rpc::Transport>,
        }

        #[cfg(feature = "grpc")]
        impl #name {
            /// Calls over a channel.
            pub fn new(channel: ::treaty_rpc::Channel) -> Self {
                let limits = channel.limits();
                let client = #root::grpc::#client_module::#name::new(channel.transport())
                    .max_decoding_message_size(limits.decode)
                    .max_encoding_message_size(limits.encode);
                Self { channel, client }
            }
        }

        #[cfg(feature = "grpc")]
        #[::async_trait::async_trait]
        impl #handler for #name {
            #(#functions)*
        }
    }
}

fn call(package: &Package, method: &Method) -> TokenStream {
    let shape = shape(package, method);
    let signature = shape.signature(shape.key_field.is_some());
    let (function, constant, argument) = (&shape.function, &shape.constant, &shape.argument);
    let runtime = runtime(method, "", CLIENT);
    let fill = shape
        .key_field
        .as_ref()
        .map(|field| quote!(::treaty_rpc::fill_idempotency_key(&mut request.#field);));
    let context =
        if method.is_keyed_by_metadata() { quote!(&context.keyed()) } else { quote!(context) };
    quote! {
        #signature {
            #fill
            ::treaty_rpc::#runtime(&#constant, &self.channel, #context, #argument, |#argument| {
                let mut client = self.client.clone();
                async move { client.#function(#argument).await }
            })
            .await
        }
    }
}
