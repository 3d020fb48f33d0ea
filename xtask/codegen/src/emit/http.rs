//! JSON gateway routes of one service.

use heck::{ToShoutySnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::rust;
use crate::model::{
    Body, FieldCardinality, Member, Message, Method, Model, Package, Route, Segment, Service,
    Template, TypeRef,
};

/// Constants and the functions that mount the routes; none for a service without HTTP
/// mapping, whose functions mount nothing.
pub(super) fn routes(model: &Model, package: &Package, service: &Service) -> TokenStream {
    let mapped = || {
        service.methods.iter().flat_map(|method| {
            method.routes.iter().enumerate().map(move |(index, route)| (method, index, route))
        })
    };
    let handler = rust::ident(&service.name);
    let local = format_ident!("Local{}", service.name);
    let constants = mapped().map(|(method, index, route)| constant(method, index, route));
    let mounts = mapped().map(|(method, index, route)| mount(model, package, method, index, route));
    let here = format!(
        " The HTTP routes of [`{}`], answered in this process: straight into the handler.",
        service.name
    );
    let remote = format!(
        " The HTTP routes of [`{0}`], answered by another process through a [`{0}Client`]. Who \
         may call is decided there; see [`treaty_http::Gateway::forwarding`].",
        service.name
    );
    quote! {
        #(#constants)*

        #[doc = #here]
        #[cfg(feature = "http")]
        pub fn routes(
            handler: ::std::sync::Arc<dyn #handler>,
            gateway: &::treaty_http::Gateway,
        ) -> ::treaty_http::Routes {
            proxy_routes(::std::sync::Arc::new(#local::new(handler)), gateway)
        }

        #[doc = #remote]
        #[cfg(feature = "http")]
        pub fn proxy_routes(
            service: ::std::sync::Arc<dyn #handler>,
            gateway: &::treaty_http::Gateway,
        ) -> ::treaty_http::Routes {
            ::treaty_http::Mount::new(service, gateway)#(#mounts)*.routes()
        }
    }
}

fn constant_name(method: &Method, index: usize) -> Ident {
    let name = method.name.to_shouty_snake_case();
    if index == 0 { format_ident!("{name}_ROUTE") } else { format_ident!("{name}_ROUTE_{index}") }
}

fn constant(method: &Method, index: usize, route: &Route) -> TokenStream {
    let name = constant_name(method, index);
    let spec = rust::ident(&method.name.to_shouty_snake_case());
    let verb = match route.verb.as_str() {
        "*" => quote!(Any),
        "get" | "put" | "post" | "delete" | "patch" => {
            let verb = rust::ident(&route.verb.to_upper_camel_case());
            quote!(#verb)
        }
        custom => quote!(Custom(#custom)),
    };
    let template = template(&route.path, &route.template);
    let body = match &route.body {
        Body::None => quote!(None),
        Body::Whole => quote!(Whole),
        Body::Field(field) => quote!(Field(#field)),
    };
    let infers_mask = route.infers_mask;
    let success = rust::integer(method.success_status);
    let docs =
        format!(" `{} {}` leads to `{}`.", route.verb.to_uppercase(), route.path, method.name);
    quote! {
        #[doc = #docs]
        #[cfg(feature = "http")]
        pub const #name: ::treaty_http::Route = ::treaty_http::Route {
            spec: &#spec,
            verb: ::treaty_http::Verb::#verb,
            template: #template,
            body: ::treaty_http::BodyMode::#body,
            infers_mask: #infers_mask,
            success: #success,
        };
    }
}

fn template(text: &str, template: &Template) -> TokenStream {
    let segments = template.segments.iter().map(|segment| match segment {
        Segment::Literal(text) => quote!(::treaty_http::Segment::Literal(#text)),
        Segment::One => quote!(::treaty_http::Segment::One),
        Segment::Rest => quote!(::treaty_http::Segment::Rest),
    });
    let variables = template.variables.iter().map(|variable| {
        let field = variable.field.join(".");
        let (start, end) = (index(variable.start), index(variable.end));
        quote!(::treaty_http::Variable { field: #field, start: #start, end: #end })
    });
    let verb = match &template.verb {
        Some(verb) => quote!(Some(#verb)),
        None => quote!(None),
    };
    quote! {
        ::treaty_http::Template {
            text: #text,
            segments: &[#(#segments),*],
            variables: &[#(#variables),*],
            verb: #verb,
        }
    }
}

fn index(value: usize) -> proc_macro2::Literal {
    proc_macro2::Literal::usize_unsuffixed(value)
}

/// One call of the mount: the route, how its request is read and its answer written,
/// and the function of the trait.
fn mount(
    model: &Model,
    package: &Package,
    method: &Method,
    index: usize,
    route: &Route,
) -> TokenStream {
    let constant = constant_name(method, index);
    let function = rust::ident(&method.rust_name);
    let kind = match (method.client_streaming, method.server_streaming) {
        (false, false) => quote!(unary),
        (false, true) => quote!(server_streaming),
        (true, false) => quote!(client_streaming),
        (true, true) => quote!(bidirectional),
    };
    let input = input(model, package, method, route);
    let output = output(model, package, method, route);
    quote! {
        .#kind(&#constant, #input, #output, |service, context, request| async move {
            service.#function(&context, request).await
        })
    }
}

fn message<'a>(model: &'a Model, reference: &TypeRef) -> Option<&'a Message> {
    let package = model.package(&reference.package)?;
    package.messages.iter().find(|message| message.rust == *reference)
}

fn input(model: &Model, package: &Package, method: &Method, route: &Route) -> TokenStream {
    let Some(message) = message(model, &method.input) else {
        // A well-known type, most of which have no fields to address.
        return if route.raw_body {
            quote!(::treaty_http::Input::raw(|request| request))
        } else {
            quote!(::treaty_http::Input::value())
        };
    };
    let raw = match &route.body {
        Body::Field(name) if route.raw_body => member(message, name),
        _ => None,
    };
    match raw {
        Some(field) => {
            let request = rust::type_path(&method.input, package);
            quote! {
                ::treaty_http::Input::<#request>::raw(|request| {
                    request.#field.get_or_insert_default()
                })
            }
        }
        None => quote!(::treaty_http::Input::message()),
    }
}

/// The member of the struct that is the field of this name; none for a field in a oneof.
fn member(message: &Message, name: &str) -> Option<Ident> {
    message.members().find_map(|member| match member {
        Member::Field(field) if field.name == name => Some(rust::ident(&field.rust_name)),
        _ => None,
    })
}

fn output(model: &Model, package: &Package, method: &Method, route: &Route) -> TokenStream {
    let message = message(model, &method.output);
    let Some(name) = &route.response_body else {
        return if route.raw_response {
            quote!(::treaty_http::Output::raw(|response| response))
        } else {
            quote!(::treaty_http::Output::message())
        };
    };
    let field = message.and_then(|message| message.fields.iter().find(|field| field.name == *name));
    match (message.and_then(|message| member(message, name)), field) {
        (Some(member), Some(field))
            if route.raw_response && field.cardinality == FieldCardinality::Explicit =>
        {
            let response = rust::type_path(&method.output, package);
            quote! {
                ::treaty_http::Output::<#response>::raw(|response| {
                    response.#member.unwrap_or_default()
                })
            }
        }
        _ => quote!(::treaty_http::Output::field(#name)),
    }
}
