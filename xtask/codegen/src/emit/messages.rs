//! Messages (prost), their JSON (pbjson) and the gRPC stubs (tonic) of a package.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use proc_macro2::TokenStream;
use prost_build::{Module, Service, ServiceGenerator};
use prost_types::FileDescriptorProto;
use quote::quote;

use super::rust;
use crate::File;
use crate::load::Contracts;
use crate::model::{Member, Message, Model, Oneof, Package, TypeRef};

/// Writes `messages.rs`, `json.rs` and, for packages with services, `grpc.rs`.
pub(super) fn emit(model: &Model, package: &Package, contracts: &Contracts) -> Vec<File> {
    let directory = format!("packages/{}/src", package.crate_name);
    let (messages, grpc) = prost(model, package, contracts);
    let mut output = vec![
        File::new(format!("{directory}/messages.rs"), format(&(messages + &redacted(package)))),
        File::new(format!("{directory}/json.rs"), json(model, package, contracts)),
    ];
    if !package.services.is_empty() {
        let text = format!("use crate::messages::*;\n{grpc}");
        output.push(File::new(format!("{directory}/grpc.rs"), format(&text)));
    }
    output
}

/// All files by name: an image may hold them in any order, which must not show.
fn files(contracts: &Contracts) -> Vec<FileDescriptorProto> {
    let files = contracts.pool.files().map(|file| file.file_descriptor_proto().clone());
    let mut files: Vec<_> = files.collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    files
}

/// Messages and tonic's stubs, apart.
fn prost(model: &Model, package: &Package, contracts: &Contracts) -> (String, String) {
    let mut config = prost_build::Config::new();
    config.compile_well_known_types().extern_path(".google.protobuf", "::pbjson_types");
    for other in model.packages.iter().filter(|other| other.name != package.name) {
        let path = format!("::{}", other.name.replace('.', "_"));
        config.extern_path(format!(".{}", other.name), path);
    }
    let redacted = package.messages.iter().filter(|message| message.is_redacted());
    config.skip_debug(redacted.map(|message| format!(".{}", message.full_name)));
    // That takes it from the enums inside of them too, which have nothing to hide.
    for enumeration in contracts.pool.all_enums() {
        let outer = enumeration.parent_message();
        if outer.is_some_and(|outer| is_left_out(package, outer.full_name())) {
            let path = format!(".{}", enumeration.full_name());
            config.enum_attribute(path, "#[derive(Debug)]");
        }
    }
    let stubs = Rc::new(RefCell::new(String::new()));
    config.service_generator(Box::new(Stubs {
        inner: tonic_prost_build::configure().compile_well_known_types(true).service_generator(),
        services: package.services.iter().map(|service| service.full_name.clone()).collect(),
        output: Rc::clone(&stubs),
    }));
    let module = Module::from_protobuf_package_name(&package.name);
    // prost looks at imported messages too; what it makes of them is dropped.
    let requests = files(contracts)
        .into_iter()
        .map(|file| (Module::from_protobuf_package_name(file.package()), file))
        .collect();
    // Generating from checked descriptors fails for no input: the error is about extern paths.
    let mut modules = config.generate(requests).unwrap_or_default();
    let messages = modules.remove(&module).unwrap_or_default();
    (messages, stubs.take())
}

/// Sends tonic's output to a file of its own, and only for served services.
struct Stubs {
    inner: Box<dyn ServiceGenerator>,
    services: BTreeSet<String>,
    output: Rc<RefCell<String>>,
}

impl ServiceGenerator for Stubs {
    fn generate(&mut self, service: Service, _messages: &mut String) {
        if self.services.contains(&format!("{}.{}", service.package, service.proto_name)) {
            self.inner.generate(service, &mut self.output.borrow_mut());
            self.inner.finalize(&mut self.output.borrow_mut());
        }
    }
}

/// `Debug` for messages with fields that must not be printed, and for everything
/// inside of them: prost leaves it out for both.
fn redacted(package: &Package) -> String {
    let written =
        package.messages.iter().filter(|message| is_left_out(package, &message.full_name));
    let tokens = written.map(|message| {
        let implementation = debug_message(message);
        let oneofs = message.oneofs.iter().enumerate();
        let oneofs = oneofs.map(|(index, oneof)| debug_oneof(message, index, oneof));
        quote!(#implementation #(#oneofs)*)
    });
    tokens.map(|tokens| tokens.to_string()).collect()
}

/// Whether a message is one with such fields, or stands inside of one.
fn is_left_out(package: &Package, full_name: &str) -> bool {
    let outer = |name: &str| {
        let rest = full_name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut redacted = package.messages.iter().filter(|other| other.is_redacted());
    redacted.any(|other| outer(&other.full_name))
}

fn debug_message(message: &Message) -> TokenStream {
    let fields = message.members().map(|member| {
        // What of a oneof must not be printed is known to its enum.
        let (label, redacted) = match member {
            Member::Field(field) => (&field.rust_name, field.redacted),
            Member::Oneof(oneof) => (&oneof.rust_name, false),
        };
        let member = rust::ident(label);
        if redacted {
            quote!(.field(#label, &::core::format_args!("[redacted]")))
        } else {
            quote!(.field(#label, &self.#member))
        }
    });
    let name = message.rust.path.rsplit("::").next().unwrap_or_default();
    debug(&message.rust, quote!(f.debug_struct(#name)#(#fields)*.finish()))
}

fn debug_oneof(message: &Message, index: usize, oneof: &Oneof) -> TokenStream {
    let arms = message.variants(index).map(|variant| {
        let (label, name) = (&variant.rust_name, rust::ident(&variant.rust_name));
        if variant.redacted {
            let text = quote!(::core::format_args!("[redacted]"));
            quote!(Self::#name(_) => f.debug_tuple(#label).field(&#text).finish(),)
        } else {
            quote!(Self::#name(value) => f.debug_tuple(#label).field(value).finish(),)
        }
    });
    debug(&oneof.rust, quote!(match self { #(#arms)* }))
}

fn debug(reference: &TypeRef, body: TokenStream) -> TokenStream {
    let path = reference.path.split("::").map(rust::ident);
    quote! {
        impl ::core::fmt::Debug for #(#path)::* {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #body
            }
        }
    }
}

fn json(model: &Model, package: &Package, contracts: &Contracts) -> String {
    let mut builder = pbjson_build::Builder::new();
    for file in files(contracts) {
        builder.register_file_descriptor(file);
    }
    builder.extern_path(".google.protobuf", "::pbjson_types");
    for other in model.packages.iter().filter(|other| other.name != package.name) {
        let path = format!("::{}", other.name.replace('.', "_"));
        builder.extern_path(format!(".{}", other.name), path);
    }
    let prefix = format!(".{}", package.name);
    // Writing to memory does not fail.
    let written = builder.generate(&[prefix], |_| Ok(Vec::new())).unwrap_or_default();
    let text: String = written
        .into_iter()
        .map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    format(&format!("use crate::messages::*;\n{text}"))
}

/// Formats a text of Rust as a file of ours.
fn format(text: &str) -> String {
    match syn::parse_file(text) {
        Ok(parsed) => format!("{}{}", rust::HEADER, rust::spaced(&prettyplease::unparse(&parsed))),
        // The compiler will say what is wrong with it, at its place.
        Err(_) => format!("{}{text}", rust::HEADER),
    }
}
