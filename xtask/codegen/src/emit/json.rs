//! proto3 JSON of a package's messages and enums, over `treaty-json`.
//!
//! It is text from the beginning, as messages are: to parse and print it would be half of the
//! generator's time.

mod layout;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use proc_macro2::Literal;

use super::rust;
use crate::File;
use crate::model::{Enum, Field, FieldCardinality, FieldType, Message, Oneof, Package, TypeRef};

/// Writes `json.rs`: one line a field to read it, and one to write it.
pub(super) fn emit(package: &Package) -> File {
    let emitter = Emitter { package };
    let mut text = rust::HEADER.to_owned();
    emitter.imports(&mut text);
    emitter.register(&mut text);
    for message in &package.messages {
        emitter.message(&mut text, message);
    }
    for enumeration in &package.enums {
        emitter.enumeration(&mut text, enumeration);
    }
    text.push_str(&emitter.bridges());
    File::new(format!("{}/json.rs", package.directory()), text)
}

struct Emitter<'a> {
    package: &'a Package,
}

impl Emitter<'_> {
    fn path(&self, reference: &TypeRef) -> String {
        rust::type_text(reference, self.package)
    }

    /// Names of the runtime. Messages are written with their paths, so none can be meant.
    fn imports(&self, text: &mut String) {
        text.push_str("use ::treaty_json::Registry;\n");
        if !self.package.messages.is_empty() {
            text.push_str("use ::treaty_json::{Error, Fields, Reader, Schema, Writer};\n");
        }
        if self.package.messages.iter().any(|message| !message.fields.is_empty()) {
            text.push_str("use ::treaty_json::field;\n");
        }
        if !self.package.enums.is_empty() {
            text.push_str("use ::treaty_json::{Enum, EnumSchema};\n");
        }
    }

    /// The macros that make every message what other crates ask for, one message a line.
    fn bridges(&self) -> String {
        let messages = self.package.messages.iter();
        let lines: String =
            messages.map(|message| format!("    {},\n", self.path(&message.rust))).collect();
        if lines.is_empty() {
            return lines;
        }
        format!(
            "\n::treaty_json::messages! {{\n{lines}}}\n\n#[cfg(feature = \"serde\")]\n\
             ::treaty_json::serde_bridge! {{\n{lines}}}\n"
        )
    }

    /// The function that makes a package's messages known behind `Any`. It is compiled
    /// where it is called, so that who does not need it does not pay for it.
    fn register(&self, text: &mut String) {
        let begin = format!("    if registry.begin({}) {{", literal(&self.package.name));
        text.push_str(
            "\n/// Makes the messages of this package, and of those it builds on, known to \
             readers\n/// and writers of `google.protobuf.Any`.\n#[inline]\n\
             pub fn register_types(registry: &mut Registry) {\n",
        );
        text.push_str(&begin);
        if self.package.messages.is_empty() && self.package.dependencies.is_empty() {
            text.push_str("}\n}\n");
            return;
        }
        text.push('\n');
        for message in &self.package.messages {
            layout::registration(text, &self.path(&message.rust), &literal(&message.full_name));
        }
        for name in &self.package.dependencies {
            let root = rust::foreign_root_text(name, self.package);
            layout::statement(text, &format!("{root}::register_types(registry);"));
        }
        text.push_str("    }\n}\n");
    }

    fn message(&self, text: &mut String, message: &Message) {
        let path = self.path(&message.rust);
        let full_name = literal(&message.full_name);
        let _ = write!(
            text,
            "\nimpl {path} {{\n    const SCHEMA: &'static Schema = &Schema {{\n        \
             full_name: {full_name},\n"
        );
        let fields = message.fields.iter().map(field_names).collect::<Vec<_>>();
        layout::list(text, "fields: ", &fields);
        text.push_str("    };\n}\n");
        layout::implementation(text, "Fields", &path);
        text.push_str("    fn schema(&self) -> &'static Schema {\n        Self::SCHEMA\n    }\n");
        self.write_fields(text, message);
        self.read_field(text, message);
        self.child(text, message);
        text.push_str("}\n");
    }

    fn write_fields(&self, text: &mut String, message: &Message) {
        if message.fields.is_empty() {
            text.push_str("    fn write_fields(&self, _: &mut Writer<'_>) {}\n");
            return;
        }
        text.push_str(
            "    fn write_fields(&self, w: &mut Writer<'_>) {\n        \
             let f = Self::SCHEMA.fields;\n",
        );
        let mut written = vec![false; message.oneofs.len()];
        for (index, field) in message.fields.iter().enumerate() {
            match field.oneof.and_then(|place| Some((place, message.oneofs.get(place)?))) {
                None => layout::statement(text, &self.write_field(index, field)),
                Some((place, oneof)) if !written[place] => {
                    written[place] = true;
                    self.write_oneof(text, message, place, oneof);
                }
                Some(_) => {}
            }
        }
        text.push_str("    }\n");
    }

    fn write_field(&self, index: usize, field: &Field) -> String {
        let member = &field.rust_name;
        let (presence, is_copied) = match field.cardinality {
            FieldCardinality::Implicit => ("implicit", true),
            FieldCardinality::Explicit => ("optional", true),
            FieldCardinality::Required => ("required", true),
            FieldCardinality::Repeated => ("repeated", false),
            FieldCardinality::Map(_) => ("map", false),
        };
        match self.enum_arguments(field, presence) {
            Some(call) if is_copied => format!("w.{call}(&f[{index}], self.{member});"),
            Some(call) => format!("w.{call}(&f[{index}], &self.{member});"),
            None => format!("w.{presence}(&f[{index}], &self.{member});"),
        }
    }

    /// The function for an enum's presence, with the enum as its argument.
    fn enum_arguments(&self, field: &Field, presence: &str) -> Option<String> {
        let FieldType::Enum { rust: reference, .. } = &field.ty else { return None };
        // Keys of maps and oneofs are inferred.
        let inferred = if matches!(presence, "map" | "oneof") { ", _" } else { "" };
        Some(format!("{presence}_enum::<{}{inferred}>", self.path(reference)))
    }

    fn write_oneof(&self, text: &mut String, message: &Message, place: usize, oneof: &Oneof) {
        let path = self.path(&oneof.rust);
        let fields = message.fields.iter().enumerate();
        let arms = fields.filter(|(_, field)| field.oneof == Some(place)).map(|(index, field)| {
            let pattern = format!("Some({path}::{}(value))", field.rust_name);
            let body = match self.enum_arguments(field, "required") {
                Some(call) => format!("w.{call}(&f[{index}], *value)"),
                None => format!("w.required(&f[{index}], value)"),
            };
            (pattern, body)
        });
        layout::variants(text, &format!("match &self.{} {{", oneof.rust_name), arms);
    }

    fn read_field(&self, text: &mut String, message: &Message) {
        if message.fields.is_empty() {
            text.push_str(
                "    fn read_field(&mut self, _: usize, _: &mut Reader<'_>) -> Result<(), Error> \
                 {\n        Ok(())\n    }\n",
            );
            return;
        }
        text.push_str(
            "    fn read_field(&mut self, index: usize, r: &mut Reader<'_>) -> Result<(), Error> \
             {\n        match index {\n",
        );
        for (index, field) in message.fields.iter().enumerate() {
            self.read_line(text, index, message, field);
        }
        text.push_str("            _ => Ok(()),\n        }\n    }\n");
    }

    fn read_line(&self, text: &mut String, index: usize, message: &Message, field: &Field) {
        let pattern = index.to_string();
        if let Some(oneof) = field.oneof.and_then(|place| message.oneofs.get(place)) {
            let variant = format!("{}::{}", self.path(&oneof.rust), field.rust_name);
            let member = format!("&mut self.{}", oneof.rust_name);
            match self.enum_arguments(field, "oneof") {
                Some(call) => {
                    layout::arm(text, &pattern, &format!("r.{call}({member}, {variant})"))
                }
                None => layout::call_arm(text, &pattern, "r.oneof", &member, &variant),
            }
            return;
        }
        let presence = match field.cardinality {
            // A reader takes what is there: that a field must be there is not JSON's.
            FieldCardinality::Implicit | FieldCardinality::Required => "implicit",
            FieldCardinality::Explicit => "optional",
            FieldCardinality::Repeated => "repeated",
            FieldCardinality::Map(_) => "map",
        };
        let call = self.enum_arguments(field, presence).unwrap_or_else(|| presence.to_owned());
        layout::arm(text, &pattern, &format!("r.{call}(&mut self.{})", field.rust_name));
    }

    /// The way down to messages in fields; nothing for a message without such.
    fn child(&self, text: &mut String, message: &Message) {
        let mut arms = String::new();
        let fields = message.fields.iter().enumerate();
        for (index, field) in fields.filter(|(_, field)| is_object(&field.ty)) {
            self.child_line(&mut arms, index, message, field);
        }
        if !arms.is_empty() {
            let _ = write!(
                text,
                "    fn child(&mut self, index: usize) -> Option<&mut dyn Fields> {{\n        \
                 match index {{\n{arms}            _ => None,\n        }}\n    }}\n"
            );
        }
    }

    fn child_line(&self, text: &mut String, index: usize, message: &Message, field: &Field) {
        let pattern = index.to_string();
        if let Some(oneof) = field.oneof.and_then(|place| message.oneofs.get(place)) {
            let variant = format!("{}::{}", self.path(&oneof.rust), field.rust_name);
            layout::variant_arm(text, &pattern, &oneof.rust_name, &variant);
            return;
        }
        let member = &field.rust_name;
        let body = match field.cardinality {
            FieldCardinality::Explicit => format!("Some(self.{member}.get_or_insert_default())"),
            FieldCardinality::Required => format!("Some(&mut self.{member})"),
            _ => return,
        };
        layout::arm(text, &pattern, &body);
    }

    fn enumeration(&self, text: &mut String, enumeration: &Enum) {
        let kind = if enumeration.closed { "closed" } else { "open" };
        let values = enumeration.values.iter();
        let values: Vec<_> =
            values.map(|value| format!("({}, {})", literal(&value.name), value.number)).collect();
        layout::implementation(text, "Enum", &self.path(&enumeration.rust));
        let call = format!("    const SCHEMA: &'static EnumSchema = &EnumSchema::{kind}(");
        layout::schema(text, &call, &literal(&enumeration.full_name), &values);
        text.push_str("}\n");
    }
}

/// Whether a value is an object of fields, rather than a well-known type with a JSON of
/// its own.
fn is_object(ty: &FieldType) -> bool {
    matches!(ty, FieldType::Message { rust: reference, .. } if !reference.is_well_known())
}

/// A text as Rust has it.
fn literal(text: &str) -> String {
    Literal::string(text).to_string()
}

/// A field's names: one when they are the same, and a third one where JSON escapes.
fn field_names(field: &Field) -> String {
    let (json, name) = (&field.json_name, &field.name);
    let quoted = serde_json::Value::from(json.as_str()).to_string();
    let escaped = quoted.get(1..quoted.len() - 1).unwrap_or(json);
    if escaped != json {
        format!("field!({}, {}, {})", literal(json), literal(name), literal(escaped))
    } else if json == name {
        format!("field!({})", literal(name))
    } else {
        format!("field!({}, {})", literal(json), literal(name))
    }
}
