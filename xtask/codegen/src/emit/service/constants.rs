//! What the contract promises about each method.

use heck::ToShoutySnakeCase;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::emit::rust;
use crate::model::{Access, CallRetry, Method, Service};

pub(super) fn emit(service: &Service) -> TokenStream {
    let full_name = &service.full_name;
    let methods = service.methods.iter().map(|method| constant(full_name, method));
    quote! {
        /// Full name of the service.
        pub const SERVICE_NAME: &str = #full_name;
        #(#methods)*
    }
}

fn constant(service: &str, method: &Method) -> TokenStream {
    let constant = rust::ident(&method.name.to_shouty_snake_case());
    let name = &method.name;
    let path = format!("/{service}/{name}");
    let docs = format!(" What the contract promises about `{name}`.");
    let access = method.access.iter().map(|access| match access {
        Access::Public => quote!(::treaty_rpc::Access::Public),
        Access::Callers(names) => quote!(::treaty_rpc::Access::Callers(&[#(#names),*])),
        Access::Operators => quote!(::treaty_rpc::Access::Operators),
    });
    let deadline = rust::duration(method.deadline);
    let retry = match &method.retry {
        Some(policy) => retry(policy),
        None => quote!(None),
    };
    quote! {
        #[doc = #docs]
        pub const #constant: ::treaty_rpc::MethodSpec = ::treaty_rpc::MethodSpec {
            service: SERVICE_NAME,
            method: #name,
            path: #path,
            access: &[#(#access),*],
            deadline: #deadline,
            retry: #retry,
        };
    }
}

fn retry(policy: &CallRetry) -> TokenStream {
    let max_attempts = rust::integer(policy.max_attempts);
    let initial_backoff = rust::duration(policy.initial_backoff);
    let max_backoff = rust::duration(policy.max_backoff);
    let multiplier = Literal::f64_unsuffixed(policy.multiplier);
    let attempt_deadline = rust::optional_duration(policy.attempt_deadline);
    quote! {
        Some(::treaty_rpc::RetrySpec {
            max_attempts: #max_attempts,
            initial_backoff: #initial_backoff,
            max_backoff: #max_backoff,
            multiplier: #multiplier,
            attempt_deadline: #attempt_deadline,
        })
    }
}
