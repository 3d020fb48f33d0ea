//! JSON gateway routes of one service.

use heck::ToShoutySnakeCase;
use heck::ToUpperCamelCase;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::rust;
use crate::model::{Binding, BindingKind, Body, Cardinality, Method, Package, Route, Service};

/// Constants, binders and the function that mounts the routes; nothing for a
/// service without HTTP mapping.
pub(super) fn routes(package: &Package, service: &Service) -> TokenStream {
    let mapped: Vec<_> =
        service.methods.iter().filter(|method| !method.routes.is_empty()).collect();
    let handler = rust::ident(&service.name);
    let local = format_ident!("Local{}", service.name);
    let constants = mapped.iter().flat_map(|method| {
        method.routes.iter().enumerate().map(|(index, route)| constant(method, index, route))
    });
    let binders = mapped.iter().map(|method| binder(package, method));
    let mounts = mapped
        .iter()
        .flat_map(|method| method.routes.iter().enumerate().map(|(index, _)| mount(method, index)));
    let docs = format!(" Mounts the HTTP routes of [`{}`].", service.name);
    let parameters = if mapped.is_empty() {
        quote!(_handler: ::std::sync::Arc<dyn #handler>, _gateway: &::treaty_http::Gateway)
    } else {
        quote!(handler: ::std::sync::Arc<dyn #handler>, gateway: &::treaty_http::Gateway)
    };
    let start = (!mapped.is_empty()).then(|| quote!(let local = #local::new(handler);));
    quote! {
        #(#constants)*
        #(#binders)*

        #[doc = #docs]
        #[cfg(feature = "http")]
        pub fn routes(#parameters) -> ::axum::Router {
            #start
            ::axum::Router::new()#(#mounts)*
        }
    }
}

fn constant_name(method: &Method, index: usize) -> Ident {
    let name = method.name.to_shouty_snake_case();
    if index == 0 { format_ident!("{name}_ROUTE") } else { format_ident!("{name}_ROUTE_{index}") }
}

fn binder_name(method: &Method) -> Ident {
    format_ident!("bind_{}", method.rust_name)
}

fn constant(method: &Method, index: usize, route: &Route) -> TokenStream {
    let name = constant_name(method, index);
    let spec = rust::ident(&method.name.to_shouty_snake_case());
    let verb = rust::ident(&route.verb.to_upper_camel_case());
    let path = &route.path;
    let body = rust::ident(if route.body == Body::Whole { "Whole" } else { "None" });
    let docs = format!(" `{} {path}` leads to `{}`.", route.verb.to_uppercase(), method.name);
    quote! {
        #[doc = #docs]
        #[cfg(feature = "http")]
        pub const #name: ::treaty_http::Route = ::treaty_http::Route {
            spec: &#spec,
            verb: ::treaty_http::Verb::#verb,
            path: #path,
            body: ::treaty_http::BodyMode::#body,
        };
    }
}

fn mount(method: &Method, index: usize) -> TokenStream {
    let route = constant_name(method, index);
    let bind = binder_name(method);
    let function = rust::ident(&method.rust_name);
    quote! {
        .route(
            #route.path,
            gateway.unary(&#route, #bind, {
                let local = local.clone();
                move |context, request| {
                    let local = local.clone();
                    async move { local.#function(&context, request).await }
                }
            }),
        )
    }
}

/// Sets one field of the request from a text of the path or the query.
fn binder(package: &Package, method: &Method) -> TokenStream {
    let name = binder_name(method);
    let message = rust::type_path(&method.input, package);
    if method.bindings.is_empty() {
        return quote! {
            #[cfg(feature = "http")]
            fn #name(_request: &mut #message, _name: &str, _value: &str) -> ::treaty_http::Bind {
                Ok(::treaty_http::Bound::Unknown)
            }
        };
    }
    let arms = method.bindings.iter().map(|binding| arm(package, binding));
    quote! {
        #[cfg(feature = "http")]
        fn #name(request: &mut #message, name: &str, value: &str) -> ::treaty_http::Bind {
            match name {
                #(#arms)*
                _ => return Ok(::treaty_http::Bound::Unknown),
            }
            Ok(::treaty_http::Bound::Field)
        }
    }
}

fn arm(package: &Package, binding: &Binding) -> TokenStream {
    let field = rust::ident(&binding.rust_name);
    let (name, json_name) = (&binding.name, &binding.json_name);
    let names = if name == json_name { quote!(#name) } else { quote!(#name | #json_name) };
    let value = match &binding.kind {
        BindingKind::Scalar(reader) => {
            let reader = rust::ident(reader);
            quote!(::treaty_http::bind::#reader(name, value)?)
        }
        BindingKind::Enum(reference) => {
            let enumeration = rust::type_path(reference, package);
            quote!(::treaty_http::bind::enumeration(name, value, #enumeration::from_str_name)?)
        }
        BindingKind::WellKnown(_) => quote!(::treaty_http::bind::json(name, value)?),
    };
    match binding.cardinality {
        Cardinality::Singular => quote!(#names => request.#field = #value,),
        Cardinality::Optional => quote!(#names => request.#field = Some(#value),),
        Cardinality::Repeated => quote!(#names => request.#field.push(#value),),
    }
}
