//! Messages, oneofs and enums as Rust types that prost encodes.
//!
//! The text is written as it shall stand: no parser and no printer walks over it, which
//! would be most of the generator's time. It is what prost-build would write, except
//! that names which meet are told apart ([`crate::lower`]), comments cannot upset rustdoc
//! ([`super::docs`]), more types are `Eq`, and redaction is part of it.

mod debug;
mod enums;
mod paths;
mod writer;

use std::collections::BTreeMap;

use crate::model::{
    Enum, Field, FieldCardinality, FieldType, Member, Message, Oneof, Package, Scalar,
};
use paths::{Scope, attribute, scalar};
use writer::Writer;

/// What one module holds.
#[derive(Default)]
struct Module<'a> {
    messages: Vec<&'a Message>,
    enums: Vec<&'a Enum>,
    oneofs: Vec<(&'a Message, usize, &'a Oneof)>,
}

/// The modules of a package by their paths; that of the top is empty.
type Modules<'a> = BTreeMap<&'a str, Module<'a>>;

/// Every type of a package, each in the module of what it is nested in.
pub(super) fn emit(package: &Package) -> String {
    let mut modules = Modules::new();
    for message in &package.messages {
        modules.entry(parent(&message.rust.path)).or_default().messages.push(message);
        for (index, oneof) in message.oneofs.iter().enumerate() {
            let module = modules.entry(parent(&oneof.rust.path)).or_default();
            module.oneofs.push((message, index, oneof));
        }
    }
    for enumeration in &package.enums {
        modules.entry(parent(&enumeration.rust.path)).or_default().enums.push(enumeration);
    }
    let mut writer = Writer::default();
    module(&mut writer, &modules, &Scope { package, module: "" });
    writer.finish()
}

/// The module that a path leads into.
fn parent(path: &str) -> &str {
    path.rsplit_once("::").map_or("", |(module, _)| module)
}

/// The last segment of a path.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn module(writer: &mut Writer, modules: &Modules<'_>, scope: &Scope<'_>) {
    let Some(found) = modules.get(scope.module) else { return };
    for message in &found.messages {
        write_message(writer, scope, message);
        let inner = message.module.as_str();
        if modules.contains_key(inner) {
            writer.item();
            writer.line(&format!("/// Types inside of [`{}`].", last(&message.rust.path)));
            writer.line(&format!("pub mod {} {{", last(inner)));
            writer.inside(|writer| {
                module(writer, modules, &Scope { package: scope.package, module: inner });
            });
            writer.line("}");
        }
    }
    for (message, index, oneof) in &found.oneofs {
        write_oneof(writer, scope, message, *index, oneof);
    }
    for enumeration in &found.enums {
        enums::write(writer, enumeration);
    }
}

fn write_message(writer: &mut Writer, scope: &Scope<'_>, message: &Message) {
    writer.item();
    writer.docs(&message.comment);
    let copy = if message.derives.copy { ", Copy" } else { "" };
    let eq = if message.derives.eq { ", Eq, Hash" } else { "" };
    writer.line(&format!("#[derive(Clone{copy}, PartialEq{eq}, ::prost::Message)]"));
    if message.is_redacted() {
        writer.line("#[prost(skip_debug)]");
    }
    if message.deprecated {
        writer.line("#[deprecated]");
    }
    let name = last(&message.rust.path);
    if message.fields.is_empty() {
        writer.line(&format!("pub struct {name} {{}}"));
    } else {
        writer.line(&format!("pub struct {name} {{"));
        writer.inside(|writer| {
            for member in message.members() {
                match member {
                    Member::Field(field) => write_field(writer, scope, field),
                    Member::Oneof(oneof) => write_oneof_field(writer, scope, message, oneof),
                }
            }
        });
        writer.line("}");
    }
    if message.is_redacted() {
        debug::message(writer, message);
    }
}

fn write_field(writer: &mut Writer, scope: &Scope<'_>, field: &Field) {
    writer.docs(&field.comment);
    if field.deprecated {
        writer.line("#[deprecated]");
    }
    let value = scope.rust_type(field);
    let (tag, default) = (field.number, default(field));
    let (attribute, label, rust) = match field.cardinality {
        FieldCardinality::Map(key) => {
            let value_attribute = scope.map_value(field);
            let map = format!("btree_map = \"{}, {value_attribute}\"", attribute(key));
            let rust = format!("::prost::alloc::collections::BTreeMap<{}, {value}>", scalar(key));
            (map, "", rust)
        }
        FieldCardinality::Repeated => {
            let expanded = if is_packable(&field.ty) && !field.packed {
                ", repeated, packed = \"false\""
            } else {
                ", repeated"
            };
            (scope.attribute(field), expanded, format!("::prost::alloc::vec::Vec<{value}>"))
        }
        FieldCardinality::Required => (scope.attribute(field), ", required", value),
        FieldCardinality::Explicit => {
            let rust = format!("::core::option::Option<{value}>");
            (scope.attribute(field), ", optional", rust)
        }
        FieldCardinality::Implicit => (scope.attribute(field), "", value),
    };
    let boxed = if field.boxed { ", boxed" } else { "" };
    writer.line(&format!("#[prost({attribute}{label}{boxed}, tag = \"{tag}\"{default})]"));
    writer.line(&format!("pub {}: {rust},", field.rust_name));
}

/// The default of proto2, which prost's getters return.
fn default(field: &Field) -> String {
    let default = field.default.as_ref();
    default.map(|text| format!(", default = \"{}\"", text.escape_default())).unwrap_or_default()
}

fn is_packable(ty: &FieldType) -> bool {
    match ty {
        FieldType::Scalar(scalar) => !matches!(scalar, Scalar::String | Scalar::Bytes),
        FieldType::Enum { .. } => true,
        FieldType::Message { .. } => false,
    }
}

fn write_oneof_field(writer: &mut Writer, scope: &Scope<'_>, message: &Message, oneof: &Oneof) {
    let index = message.oneofs.iter().position(|other| other.rust == oneof.rust);
    let variants = message.variants(index.unwrap_or_default());
    let tags: Vec<_> = variants.map(|field| field.number.to_string()).collect();
    let path = scope.path(&oneof.rust);
    writer.docs(&oneof.comment);
    writer.line(&format!("#[prost(oneof = \"{path}\", tags = \"{}\")]", tags.join(", ")));
    writer.line(&format!("pub {}: ::core::option::Option<{path}>,", oneof.rust_name));
}

fn write_oneof(
    writer: &mut Writer,
    scope: &Scope<'_>,
    message: &Message,
    index: usize,
    oneof: &Oneof,
) {
    writer.item();
    writer.docs(&oneof.comment);
    let copy = if oneof.derives.copy { ", Copy" } else { "" };
    let eq = if oneof.derives.eq { ", Eq, Hash" } else { "" };
    writer.line(&format!("#[derive(Clone{copy}, PartialEq{eq}, ::prost::Oneof)]"));
    if message.is_redacted() {
        writer.line("#[prost(skip_debug)]");
    }
    // Its size is the contract's choice; boxing one variant would change the type of all.
    if message.variants(index).any(|field| matches!(field.ty, FieldType::Message { .. })) {
        writer.line("#[allow(clippy::large_enum_variant)]");
    }
    writer.line(&format!("pub enum {} {{", last(&oneof.rust.path)));
    writer.inside(|writer| {
        for field in message.variants(index) {
            writer.docs(&field.comment);
            if field.deprecated {
                writer.line("#[deprecated]");
            }
            let attribute = scope.variant(field);
            writer.line(&format!("#[prost({attribute}, tag = \"{}\")]", field.number));
            writer.line(&format!("{}({}),", field.rust_name, scope.rust_type(field)));
        }
    });
    writer.line("}");
    if message.is_redacted() {
        debug::oneof(writer, message, index, oneof);
    }
}
