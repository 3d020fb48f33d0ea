//! proto3 JSON of a package's messages and enums, over `treaty-json`.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::rust;
use crate::File;
use crate::model::{Enum, Field, FieldCardinality, FieldType, Message, Oneof, Package, TypeRef};

/// Writes `json.rs`: one line a field to read it, and one to write it.
pub(super) fn emit(package: &Package) -> File {
    let emitter = Emitter { package };
    let messages = package.messages.iter().map(|message| emitter.message(message));
    let enums = package.enums.iter().map(|enumeration| emitter.enumeration(enumeration));
    let (imports, register) = (emitter.imports(), emitter.register());
    let parts = [imports, register].into_iter().chain(messages).chain(enums);
    let text = rust::items(parts) + &emitter.bridges();
    File::new(format!("{}/json.rs", package.directory()), text)
}

struct Emitter<'a> {
    package: &'a Package,
}

impl Emitter<'_> {
    fn path(&self, reference: &TypeRef) -> TokenStream {
        rust::type_path(reference, self.package)
    }

    /// Names of the runtime. Messages are written with their paths, so none can be meant.
    fn imports(&self) -> TokenStream {
        let messages = (!self.package.messages.is_empty()).then(|| {
            quote!(
                use ::treaty_json::{Error, Fields, Reader, Schema, Writer};
            )
        });
        let has_fields = self.package.messages.iter().any(|message| !message.fields.is_empty());
        let fields = has_fields.then(|| {
            quote!(
                use ::treaty_json::field;
            )
        });
        let enums = (!self.package.enums.is_empty()).then(|| {
            quote!(
                use ::treaty_json::{Enum, EnumSchema};
            )
        });
        quote! {
            use ::treaty_json::Registry;
            #messages
            #fields
            #enums
        }
    }

    /// The macros that make every message what other crates ask for, one message a line.
    fn bridges(&self) -> String {
        let messages = self.package.messages.iter();
        let lines: String =
            messages.map(|message| format!("    {},\n", self.text(&message.rust))).collect();
        if lines.is_empty() {
            return lines;
        }
        format!(
            "\n::treaty_json::messages! {{\n{lines}}}\n\n#[cfg(feature = \"serde\")]\n\
             ::treaty_json::serde_bridge! {{\n{lines}}}\n"
        )
    }

    /// The path of a type of this package.
    fn text(&self, reference: &TypeRef) -> String {
        format!("{}::{}", rust::own_root(self.package), reference.path)
    }

    /// The function that makes a package's messages known behind `Any`. It is compiled
    /// where it is called, so that who does not need it does not pay for it.
    fn register(&self) -> TokenStream {
        let name = &self.package.name;
        let messages = self.package.messages.iter().map(|message| {
            let (path, full_name) = (self.path(&message.rust), &message.full_name);
            quote!(registry.add::<#path>(#full_name);)
        });
        let others = self.package.dependencies.iter().map(|name| {
            let root = rust::foreign_root(name, self.package);
            quote!(#root::register_types(registry);)
        });
        quote! {
            /// Makes the messages of this package, and of those it builds on, known to readers
            /// and writers of `google.protobuf.Any`.
            #[inline]
            pub fn register_types(registry: &mut Registry) {
                if registry.begin(#name) {
                    #(#messages)*
                    #(#others)*
                }
            }
        }
    }

    fn message(&self, message: &Message) -> TokenStream {
        let path = self.path(&message.rust);
        let full_name = &message.full_name;
        let fields = message.fields.iter().map(field_names);
        let (write, read, child) =
            (self.write_fields(message), self.read_field(message), self.child(message));
        quote! {
            impl #path {
                const SCHEMA: &'static Schema = &Schema {
                    full_name: #full_name,
                    fields: &[#(#fields),*],
                };
            }

            impl Fields for #path {
                fn schema(&self) -> &'static Schema {
                    Self::SCHEMA
                }
                #write
                #read
                #child
            }
        }
    }

    fn write_fields(&self, message: &Message) -> TokenStream {
        let mut lines = Vec::new();
        let mut written = vec![false; message.oneofs.len()];
        for (index, field) in message.fields.iter().enumerate() {
            match field.oneof.and_then(|place| Some((place, message.oneofs.get(place)?))) {
                None => lines.push(self.write_field(index, field)),
                Some((place, oneof)) if !written[place] => {
                    written[place] = true;
                    lines.push(self.write_oneof(message, place, oneof));
                }
                Some(_) => {}
            }
        }
        if lines.is_empty() {
            return quote!(
                fn write_fields(&self, _: &mut Writer<'_>) {}
            );
        }
        quote! {
            fn write_fields(&self, w: &mut Writer<'_>) {
                let f = Self::SCHEMA.fields;
                #(#lines)*
            }
        }
    }

    fn write_field(&self, index: usize, field: &Field) -> TokenStream {
        let index = Literal::usize_unsuffixed(index);
        let member = rust::ident(&field.rust_name);
        let (presence, is_copied) = match field.cardinality {
            FieldCardinality::Implicit => ("implicit", true),
            FieldCardinality::Explicit => ("optional", true),
            FieldCardinality::Required => ("required", true),
            FieldCardinality::Repeated => ("repeated", false),
            FieldCardinality::Map(_) => ("map", false),
        };
        match self.enum_arguments(field, presence) {
            Some(call) if is_copied => quote!(w.#call(&f[#index], self.#member);),
            Some(call) => quote!(w.#call(&f[#index], &self.#member);),
            None => {
                let call = rust::ident(presence);
                quote!(w.#call(&f[#index], &self.#member);)
            }
        }
    }

    /// The function for an enum's presence, with the enum as its argument.
    fn enum_arguments(&self, field: &Field, presence: &str) -> Option<TokenStream> {
        let FieldType::Enum { rust: reference, .. } = &field.ty else { return None };
        let path = self.path(reference);
        let call = rust::ident(&format!("{presence}_enum"));
        // Keys of maps and oneofs are inferred.
        let inferred = matches!(presence, "map" | "oneof").then(|| quote!(, _));
        Some(quote!(#call::<#path #inferred>))
    }

    fn write_oneof(&self, message: &Message, place: usize, oneof: &Oneof) -> TokenStream {
        let member = rust::ident(&oneof.rust_name);
        let path = self.path(&oneof.rust);
        let fields = message.fields.iter().enumerate();
        let arms = fields.filter(|(_, field)| field.oneof == Some(place)).map(|(index, field)| {
            let index = Literal::usize_unsuffixed(index);
            let variant = rust::ident(&field.rust_name);
            match self.enum_arguments(field, "required") {
                Some(call) => quote!(Some(#path::#variant(value)) => w.#call(&f[#index], *value),),
                None => quote!(Some(#path::#variant(value)) => w.required(&f[#index], value),),
            }
        });
        quote!(match &self.#member { #(#arms)* None => {} })
    }

    fn read_field(&self, message: &Message) -> TokenStream {
        let result = quote!(Result<(), Error>);
        if message.fields.is_empty() {
            return quote! {
                fn read_field(&mut self, _: usize, _: &mut Reader<'_>) -> #result {
                    Ok(())
                }
            };
        }
        let arms = message.fields.iter().enumerate().map(|(index, field)| {
            let index = Literal::usize_unsuffixed(index);
            let read = self.read_line(message, field);
            quote!(#index => #read,)
        });
        quote! {
            fn read_field(&mut self, index: usize, r: &mut Reader<'_>) -> #result {
                match index {
                    #(#arms)*
                    _ => Ok(()),
                }
            }
        }
    }

    fn read_line(&self, message: &Message, field: &Field) -> TokenStream {
        if let Some(oneof) = field.oneof.and_then(|place| message.oneofs.get(place)) {
            let (member, path) = (rust::ident(&oneof.rust_name), self.path(&oneof.rust));
            let variant = rust::ident(&field.rust_name);
            let call = self.enum_arguments(field, "oneof").unwrap_or_else(|| quote!(oneof));
            return quote!(r.#call(&mut self.#member, #path::#variant));
        }
        let presence = match field.cardinality {
            // A reader takes what is there: that a field must be there is not JSON's.
            FieldCardinality::Implicit | FieldCardinality::Required => "implicit",
            FieldCardinality::Explicit => "optional",
            FieldCardinality::Repeated => "repeated",
            FieldCardinality::Map(_) => "map",
        };
        let member = rust::ident(&field.rust_name);
        let plain = || {
            let call = rust::ident(presence);
            quote!(#call)
        };
        let call = self.enum_arguments(field, presence).unwrap_or_else(plain);
        quote!(r.#call(&mut self.#member))
    }

    /// The way down to messages in fields; nothing for a message without such.
    fn child(&self, message: &Message) -> Option<TokenStream> {
        let fields = message.fields.iter().enumerate();
        let arms: Vec<_> = fields
            .filter(|(_, field)| is_object(&field.ty))
            .filter_map(|(index, field)| {
                let index = Literal::usize_unsuffixed(index);
                let child = self.child_line(message, field)?;
                Some(quote!(#index => #child,))
            })
            .collect();
        (!arms.is_empty()).then(|| {
            quote! {
                fn child(&mut self, index: usize) -> Option<&mut dyn Fields> {
                    match index {
                        #(#arms)*
                        _ => None,
                    }
                }
            }
        })
    }

    fn child_line(&self, message: &Message, field: &Field) -> Option<TokenStream> {
        if let Some(oneof) = field.oneof.and_then(|place| message.oneofs.get(place)) {
            let (member, path) = (rust::ident(&oneof.rust_name), self.path(&oneof.rust));
            let variant = rust::ident(&field.rust_name);
            return Some(quote! {
                match self.#member.get_or_insert_with(|| #path::#variant(Default::default())) {
                    #path::#variant(value) => Some(value),
                    #[allow(unreachable_patterns)]
                    _ => None,
                }
            });
        }
        let member = rust::ident(&field.rust_name);
        match field.cardinality {
            FieldCardinality::Explicit => Some(quote!(Some(self.#member.get_or_insert_default()))),
            FieldCardinality::Required => Some(quote!(Some(&mut self.#member))),
            _ => None,
        }
    }

    fn enumeration(&self, enumeration: &Enum) -> TokenStream {
        let path = self.path(&enumeration.rust);
        let full_name = &enumeration.full_name;
        let kind = rust::ident(if enumeration.closed { "closed" } else { "open" });
        let values = enumeration.values.iter().map(|value| {
            let name = &value.name;
            let number = Literal::i32_unsuffixed(value.number);
            quote!((#name, #number))
        });
        quote! {
            impl Enum for #path {
                const SCHEMA: &'static EnumSchema =
                    &EnumSchema::#kind(#full_name, &[#(#values),*]);
            }
        }
    }
}

/// Whether a value is an object of fields, rather than a well-known type with a JSON of
/// its own.
fn is_object(ty: &FieldType) -> bool {
    matches!(ty, FieldType::Message { rust: reference, .. } if !reference.is_well_known())
}

/// A field's names: one when they are the same, and a third one where JSON escapes.
fn field_names(field: &Field) -> TokenStream {
    let (json, name) = (&field.json_name, &field.name);
    let quoted = serde_json::Value::from(json.as_str()).to_string();
    let escaped = quoted.get(1..quoted.len() - 1).unwrap_or(json);
    if escaped != json {
        quote!(field!(#json, #name, #escaped))
    } else if json == name {
        quote!(field!(#name))
    } else {
        quote!(field!(#json, #name))
    }
}
