//! Enums, and their names as text.

use std::collections::BTreeSet;

use super::last;
use super::writer::Writer;
use crate::model::{Enum, EnumValue};

pub(super) fn write(writer: &mut Writer, enumeration: &Enum) {
    let name = last(&enumeration.rust.path);
    writer.item();
    writer.docs(&enumeration.comment);
    writer.line(
        "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]",
    );
    if enumeration.deprecated {
        writer.line("#[deprecated]");
    }
    writer.line("#[repr(i32)]");
    writer.line(&format!("pub enum {name} {{"));
    writer.inside(|writer| {
        for value in variants(enumeration) {
            writer.docs(&value.comment);
            if value.deprecated {
                writer.line("#[deprecated]");
            }
            writer.line(&format!("{} = {},", value.rust_name, value.number));
        }
    });
    writer.line("}");
    writer.item();
    if enumeration.deprecated || enumeration.values.iter().any(|value| value.deprecated) {
        writer.line("#[allow(deprecated)]");
    }
    writer.line(&format!("impl {name} {{"));
    writer.inside(|writer| {
        to_name(writer, enumeration);
        writer.item();
        from_name(writer, enumeration);
    });
    writer.line("}");
}

/// The values that become variants: an alias is none.
fn variants(enumeration: &Enum) -> impl Iterator<Item = &EnumValue> {
    let mut seen = BTreeSet::new();
    enumeration.values.iter().filter(move |value| seen.insert(value.number))
}

fn to_name(writer: &mut Writer, enumeration: &Enum) {
    writer.line("/// Name of the value in the contract.");
    writer.line("pub fn as_str_name(&self) -> &'static str {");
    writer.inside(|writer| {
        writer.line("match self {");
        writer.inside(|writer| {
            for value in variants(enumeration) {
                writer.line(&format!("Self::{} => \"{}\",", value.rust_name, value.name));
            }
        });
        writer.line("}");
    });
    writer.line("}");
}

fn from_name(writer: &mut Writer, enumeration: &Enum) {
    writer.line("/// The value of this name in the contract.");
    writer.line("pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {");
    writer.inside(|writer| {
        writer.line("match value {");
        writer.inside(|writer| {
            for value in &enumeration.values {
                let (name, variant) = (&value.name, &value.rust_name);
                writer.line(&format!("\"{name}\" => Some(Self::{variant}),"));
            }
            writer.line("_ => None,");
        });
        writer.line("}");
    });
    writer.line("}");
}
