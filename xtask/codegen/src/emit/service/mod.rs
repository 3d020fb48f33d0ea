//! One service: its trait, and the trait's implementations over every transport.

mod constants;
mod grpc;
mod local;
mod pages;

use heck::ToShoutySnakeCase;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{http, rust};
use crate::File;
use crate::model::{Method, Model, Package, Service};

/// Writes the module of one service.
pub(super) fn emit(model: &Model, package: &Package, service: &Service) -> File {
    let path = format!("{}/{}.rs", package.directory(), service.module);
    let sections = [
        handler_trait(package, service),
        constants::emit(service),
        pages::emit(package, service),
        local::emit(package, service),
        grpc::server(package, service),
        grpc::client(package, service),
        http::routes(model, package, service),
    ];
    File::new(path, rust::items(sections))
}

/// Names and types of one method in all the shapes that the sections need.
struct Shape {
    function: Ident,
    constant: Ident,
    /// Messages, whether one or many of them are sent.
    input: TokenStream,
    output: TokenStream,
    /// What the function is given, as the parameter `argument`.
    argument: Ident,
    request: TokenStream,
    /// What it answers.
    response: TokenStream,
    /// The field that holds the idempotency key.
    key_field: Option<Ident>,
}

fn shape(package: &Package, method: &Method) -> Shape {
    let input = rust::type_path(&method.input, package);
    let output = rust::type_path(&method.output, package);
    let carried = |streaming: bool, message: &TokenStream| {
        if streaming { quote!(::treaty_rpc::MessageStream<#message>) } else { message.clone() }
    };
    Shape {
        function: rust::ident(&method.rust_name),
        constant: rust::ident(&method.name.to_shouty_snake_case()),
        request: carried(method.client_streaming, &input),
        response: carried(method.server_streaming, &output),
        argument: rust::ident(if method.client_streaming { "requests" } else { "request" }),
        input,
        output,
        key_field: method.key_field().map(|field| rust::ident(&field)),
    }
}

impl Shape {
    /// The head of the trait's function; `mutable` lets a body change the request.
    fn signature(&self, mutable: bool) -> TokenStream {
        let Self { function, argument, request, response, .. } = self;
        let mutable = mutable.then(|| quote!(mut));
        quote! {
            async fn #function(
                &self,
                context: &::treaty_rpc::Context,
                #mutable #argument: #request,
            ) -> ::treaty_error::Result<#response>
        }
    }
}

/// The function of the runtime that carries a method's kind of call.
fn runtime(method: &Method, prefix: &str, [unary, server, client, both]: [&str; 4]) -> Ident {
    let name = match (method.client_streaming, method.server_streaming) {
        (false, false) => unary,
        (false, true) => server,
        (true, false) => client,
        (true, true) => both,
    };
    rust::ident(&format!("{prefix}{name}"))
}

fn handler_trait(package: &Package, service: &Service) -> TokenStream {
    let name = rust::ident(&service.name);
    let docs = rust::docs(&service.comment);
    let functions = service.methods.iter().map(|method| {
        let docs = rust::docs(&method.comment);
        let signature = shape(package, method).signature(false);
        quote!(#docs #signature;)
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
