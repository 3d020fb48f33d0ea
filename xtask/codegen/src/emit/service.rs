//! One service: its trait, and the trait's implementations over every transport.

use heck::ToShoutySnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{http, rust};
use crate::File;
use crate::model::{Access, Method, Package, Service};

/// Writes the module of one service.
pub(super) fn emit(package: &Package, service: &Service) -> File {
    let path = format!("{}/{}.rs", package.directory(), service.module);
    let sections = [
        handler_trait(package, service),
        constants(service),
        local(package, service),
        grpc_server(package, service),
        grpc_client(package, service),
        http::routes(package, service),
    ];
    File::new(path, rust::file(quote!(#(#sections)*)))
}

/// Names of one method in all the shapes that the sections need.
struct Names {
    function: proc_macro2::Ident,
    constant: proc_macro2::Ident,
    input: TokenStream,
    output: TokenStream,
}

fn names(package: &Package, method: &Method) -> Names {
    Names {
        function: rust::ident(&method.rust_name),
        constant: rust::ident(&method.name.to_shouty_snake_case()),
        input: rust::type_path(&method.input, package),
        output: rust::type_path(&method.output, package),
    }
}

fn handler_trait(package: &Package, service: &Service) -> TokenStream {
    let name = rust::ident(&service.name);
    let docs = rust::docs(&service.comment);
    let functions = service.methods.iter().map(|method| {
        let docs = rust::docs(&method.comment);
        let Names { function, input, output, .. } = names(package, method);
        quote! {
            #docs
            async fn #function(
                &self,
                context: &::treaty_rpc::Context,
                request: #input,
            ) -> ::treaty_error::Result<#output>;
        }
    });
    let about = format!(" The service `{}`, whatever carries it.", service.full_name);
    quote! {
        #docs
        #[doc = ""]
        #[doc = #about]
        #[cfg_attr(feature = "mock", ::mockall::automock)]
        #[::async_trait::async_trait]
        pub trait #name: Send + Sync + 'static {
            #(#functions)*
        }
    }
}

fn constants(service: &Service) -> TokenStream {
    let full_name = &service.full_name;
    let methods = service.methods.iter().map(|method| {
        let constant = rust::ident(&method.name.to_shouty_snake_case());
        let name = &method.name;
        let path = format!("/{full_name}/{name}");
        let docs = format!(" What the contract promises about `{name}`.");
        let access = method.access.iter().map(|access| match access {
            Access::Public => quote!(::treaty_rpc::Access::Public),
            Access::Callers(names) => quote!(::treaty_rpc::Access::Callers(&[#(#names),*])),
            Access::Operators => quote!(::treaty_rpc::Access::Operators),
        });
        let deadline = rust::duration(method.deadline);
        quote! {
            #[doc = #docs]
            pub const #constant: ::treaty_rpc::MethodSpec = ::treaty_rpc::MethodSpec {
                service: SERVICE_NAME,
                method: #name,
                path: #path,
                access: &[#(#access),*],
                deadline: #deadline,
            };
        }
    });
    quote! {
        /// Full name of the service.
        pub const SERVICE_NAME: &str = #full_name;
        #(#methods)*
    }
}

fn local(package: &Package, service: &Service) -> TokenStream {
    let handler = rust::ident(&service.name);
    let name = format_ident!("Local{}", service.name);
    let docs = format!(
        " In-process client of [`{}`]: calls the handler directly, under the same access rule \
         and deadline as over a network. The gRPC adapter and the HTTP routes stand on it.",
        service.name
    );
    let functions = service.methods.iter().map(|method| {
        let Names { function, constant, input, output } = names(package, method);
        quote! {
            async fn #function(
                &self,
                context: &::treaty_rpc::Context,
                request: #input,
            ) -> ::treaty_error::Result<#output> {
                ::treaty_rpc::admit_and_run(&#constant, context, |context| async move {
                    self.handler.#function(&context, request).await
                })
                .await
            }
        }
    });
    quote! {
        #[doc = #docs]
        #[derive(Clone)]
        pub struct #name {
            handler: ::std::sync::Arc<dyn #handler>,
        }

        impl #name {
            /// Stands before a handler.
            pub fn new(handler: ::std::sync::Arc<dyn #handler>) -> Self {
                Self { handler }
            }
        }

        #[::async_trait::async_trait]
        impl #handler for #name {
            #(#functions)*
        }
    }
}

fn grpc_server(package: &Package, service: &Service) -> TokenStream {
    let root = rust::root(package);
    let handler = rust::ident(&service.name);
    let name = format_ident!("{}Grpc", service.name);
    let local = format_ident!("Local{}", service.name);
    let server_module = format_ident!("{}_server", rust::stub(&service.name));
    let server = format_ident!("{}Server", service.name);
    let docs = format!(" gRPC server adapter of [`{}`].", service.name);
    let functions = service.methods.iter().map(|method| {
        let Names { function, input, output, .. } = names(package, method);
        quote! {
            async fn #function(
                &self,
                request: ::tonic::Request<#input>,
            ) -> Result<::tonic::Response<#output>, ::tonic::Status> {
                ::treaty_rpc::unary(&self.authenticator, request, |context, request| async move {
                    self.local.#function(&context, request).await
                })
                .await
            }
        }
    });
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

fn grpc_client(package: &Package, service: &Service) -> TokenStream {
    let root = rust::root(package);
    let handler = rust::ident(&service.name);
    let name = format_ident!("{}Client", service.name);
    let client_module = format_ident!("{}_client", rust::stub(&service.name));
    let docs = format!(
        " gRPC client of [`{}`]: the same trait, answered by another process.",
        service.name
    );
    let functions = service.methods.iter().map(|method| {
        let Names { function, constant, input, output } = names(package, method);
        quote! {
            async fn #function(
                &self,
                context: &::treaty_rpc::Context,
                request: #input,
            ) -> ::treaty_error::Result<#output> {
                ::treaty_rpc::call(&#constant, &self.channel, context, request, |request| {
                    let mut client = self.client.clone();
                    async move { client.#function(request).await }
                })
                .await
            }
        }
    });
    quote! {
        #[doc = #docs]
        #[cfg(feature = "grpc")]
        #[derive(Clone)]
        pub struct #name {
            channel: ::treaty_rpc::Channel,
            client: #root::grpc::#client_module::#name<::tonic::transport::Channel>,
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
