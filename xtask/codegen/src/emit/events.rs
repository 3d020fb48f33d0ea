//! Events: streams, subjects, message ids.

use heck::ToShoutySnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::rust;
use crate::File;
use crate::model::{Event, Package, Part, Stream};

/// Writes `events.rs`, when the package declares a stream or an event.
pub(super) fn emit(package: &Package) -> Option<File> {
    if package.streams.is_empty() && package.events.is_empty() {
        return None;
    }
    let path = format!("{}/events.rs", package.directory());
    let streams = package.streams.iter().map(stream);
    let events = package.events.iter().map(|declared| event(package, declared));
    Some(File::new(path, rust::file(quote!(#(#streams)* #(#events)*))))
}

/// Name of the constant of a stream.
pub(super) fn stream_constant(name: &str) -> proc_macro2::Ident {
    format_ident!("{}_STREAM", name.to_shouty_snake_case())
}

fn stream(stream: &Stream) -> TokenStream {
    let constant = stream_constant(&stream.name);
    let (name, subjects) = (&stream.name, &stream.subjects);
    let docs = format!(" The stream `{name}`: `nats stream info {name}`.");
    let retention = rust::ident(&stream.retention);
    let max_age = rust::optional_duration(stream.max_age);
    let max_bytes = match stream.max_bytes {
        Some(bytes) => quote!(Some(#bytes)),
        None => quote!(None),
    };
    let window = rust::duration(stream.duplicate_window);
    let atomic_batches = stream.atomic_batches;
    quote! {
        #[doc = #docs]
        pub const #constant: ::treaty_nats::StreamSpec = ::treaty_nats::StreamSpec {
            name: #name,
            subjects: &[#(#subjects),*],
            retention: ::treaty_nats::Retention::#retention,
            max_age: #max_age,
            max_bytes: #max_bytes,
            duplicate_window: #window,
            atomic_batches: #atomic_batches,
        };
    }
}

fn event(package: &Package, event: &Event) -> TokenStream {
    let message = rust::type_path(&event.rust, package);
    let (full_name, wildcard) = (&event.full_name, &event.wildcard);
    let constant = stream_constant(&event.stream);
    let stream = if event.stream_package == package.name {
        quote!(#constant)
    } else {
        let root = rust::foreign_root(&event.stream_package, package);
        quote!(#root::events::#constant)
    };
    let subject = subject(event);
    let message_id = message_id(event);
    quote! {
        impl ::treaty_nats::Event for #message {
            const FULL_NAME: &'static str = #full_name;
            const STREAM: &'static ::treaty_nats::StreamSpec = &#stream;
            const SUBJECTS: &'static str = #wildcard;

            fn subject(&self) -> Result<String, ::treaty_error::Error> {
                #subject
            }

            fn message_id(&self) -> Option<String> {
                #message_id
            }
        }
    }
}

/// A template as a format string that names its fields.
pub(super) fn format_string(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Field { rust_name, .. } => format!("{{{rust_name}}}"),
        })
        .collect()
}

/// One local variable for each field of a template, made by `wrap` of its text. The message is
/// called `receiver`.
pub(super) fn locals(
    parts: &[Part],
    receiver: &TokenStream,
    wrap: impl Fn(&str, TokenStream) -> TokenStream,
) -> Vec<TokenStream> {
    let mut seen = Vec::new();
    let mut locals = Vec::new();
    for part in parts {
        let Part::Field { name, rust_name, enumeration } = part else { continue };
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let field = rust::ident(rust_name);
        let text = match enumeration {
            Some(_) => quote!(#receiver.#field().as_str_name()),
            None => quote!(&#receiver.#field),
        };
        let value = wrap(name, text);
        locals.push(quote!(let #field = #value;));
    }
    locals
}

fn subject(event: &Event) -> TokenStream {
    let template = format_string(&event.subject);
    let locals = locals(
        &event.subject,
        &quote!(self),
        |name, text| quote!(::treaty_nats::token(#name, #text)?),
    );
    if locals.is_empty() {
        quote!(Ok(#template.to_owned()))
    } else {
        quote!(#(#locals)* Ok(::std::format!(#template)))
    }
}

fn message_id(event: &Event) -> TokenStream {
    if event.message_id.is_empty() {
        return quote!(None);
    }
    let template = format_string(&event.message_id);
    let locals = locals(&event.message_id, &quote!(self), |_, text| text);
    if locals.is_empty() {
        quote!(Some(#template.to_owned()))
    } else {
        quote!(#(#locals)* Some(::std::format!(#template)))
    }
}
