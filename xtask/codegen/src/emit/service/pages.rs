//! Lists that are answered page by page, as streams.

use heck::ToShoutySnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::emit::rust;
use crate::model::{Method, Package, Page, Service};

/// The trait that walks a service's lists; nothing for a service without lists.
pub(super) fn emit(package: &Package, service: &Service) -> TokenStream {
    let paged: Vec<_> =
        service.methods.iter().filter_map(|method| Some((method, method.page.as_ref()?))).collect();
    if paged.is_empty() {
        return quote!();
    }
    let handler = rust::ident(&service.name);
    let name = format_ident!("{}Pages", service.name);
    let docs = format!(" Walks the lists of [`{}`] to their end.", service.name);
    let functions = paged.iter().map(|(method, page)| function(package, method, page));
    let constants = paged.iter().map(|(method, page)| constant(package, method, page));
    quote! {
        #(#constants)*

        #[doc = #docs]
        pub trait #name: #handler {
            #(#functions)*
        }

        impl<T: #handler + ?Sized> #name for T {}
    }
}

fn function(package: &Package, method: &Method, page: &Page) -> TokenStream {
    let name = format_ident!("{}_pages", method.rust_name);
    let call = rust::ident(&method.rust_name);
    let constant = constant_name(method);
    let pages = pages_type(package, method, page);
    let input = rust::type_path(&method.input, package);
    let docs = format!(
        " The pages of `{}` from the one that `request` names, each asked for when it is needed; \
         `.items()` gives what is in them.",
        method.name
    );
    quote! {
        #[doc = #docs]
        fn #name<'a>(
            &'a self,
            context: &'a ::treaty_rpc::Context,
            request: #input,
        ) -> ::treaty_rpc::Pages<'a, #pages> {
            ::treaty_rpc::Pages::new(#constant, request, move |request| self.#call(context, request))
        }
    }
}

fn constant(package: &Package, method: &Method, page: &Page) -> TokenStream {
    let name = constant_name(method);
    let pages = pages_type(package, method, page);
    let items = rust::ident(&page.items);
    let docs = format!(" Where the messages of `{}` hold what paging needs.", method.name);
    quote! {
        #[doc = #docs]
        pub const #name: ::treaty_rpc::PageSpec<#pages> = ::treaty_rpc::PageSpec {
            token: |request| &mut request.page_token,
            next_token: |response| &response.next_page_token,
            items: |response| response.#items,
        };
    }
}

fn constant_name(method: &Method) -> proc_macro2::Ident {
    format_ident!("{}_PAGES", method.name.to_shouty_snake_case())
}

/// Request, response and item.
fn pages_type(package: &Package, method: &Method, page: &Page) -> TokenStream {
    let [input, output, item] = [&method.input, &method.output, &page.item]
        .map(|reference| rust::type_path(reference, package));
    quote!(#input, #output, #item)
}
