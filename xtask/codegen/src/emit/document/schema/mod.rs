//! JSON Schemas of messages and enums, as proto3 JSON writes them
//! (<https://protobuf.dev/programming-guides/json/>).
//!
//! What is described is the canonical form: what is answered, and what is best sent. A
//! parser takes more (numbers as texts, field names as in the contract, `null`), which a
//! schema for people and for generated clients had better not offer.

mod contract_rules;
pub(in crate::emit) mod known;
mod message;
pub(in crate::emit) mod rules;

use std::collections::{BTreeMap, BTreeSet};

use super::value::{Object, Value, list};
use super::{Index, markdown};
use crate::model::{Enum, Field, FieldCardinality, FieldType, Message, Scalar, TypeRef};
use rules::Rules;

pub(in crate::emit) use message::{body_schema, is_required, message_schema};

/// Where schemas of messages and enums stand in a document.
pub(in crate::emit) const COMPONENTS: &str = "#/components/schemas/";

/// Which JSON Schema a document speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emit) enum Dialect {
    /// 2020-12, of OpenAPI 3.1.
    Draft2020,
    /// Draft 7, of AsyncAPI 3.0: what stands beside a `$ref` does not count there.
    Draft7,
}

/// Writes schemas and remembers what they refer to.
pub(in crate::emit) struct Schemas<'a> {
    index: &'a Index<'a>,
    dialect: Dialect,
    pending: BTreeSet<Named<'a>>,
}

/// Something that gets a schema of its own.
#[derive(Clone, Copy)]
enum Named<'a> {
    Message(&'a Message),
    Enum(&'a Enum),
}

impl<'a> Named<'a> {
    fn full_name(self) -> &'a str {
        match self {
            Self::Message(message) => &message.full_name,
            Self::Enum(enumeration) => &enumeration.full_name,
        }
    }
}

impl PartialEq for Named<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.full_name() == other.full_name()
    }
}

impl Eq for Named<'_> {}

impl PartialOrd for Named<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Named<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.full_name().cmp(other.full_name())
    }
}

impl<'a> Schemas<'a> {
    pub(in crate::emit) fn new(index: &'a Index<'a>, dialect: Dialect) -> Self {
        Self { index, dialect, pending: BTreeSet::new() }
    }

    /// The schema of a value of this message: a reference, or what a library's type is in JSON.
    pub(in crate::emit) fn message(&mut self, rust: &TypeRef) -> Object {
        match self.index.message(rust) {
            Some(message) => self.refer(Named::Message(message)),
            None => known::schema(&self.index.message_name(rust)),
        }
    }

    /// The schema of a field's value, with its comment and its rules.
    pub(in crate::emit) fn field(&mut self, field: &'a Field) -> Object {
        let rules = Rules::of(field);
        let value = self.value(&field.ty, &rules);
        let schema = match field.cardinality {
            FieldCardinality::Repeated => {
                let items = self.element(&field.ty, rules.items.as_deref());
                let array = Object::new().with("type", "array").with("items", items);
                rules.apply_to_list(array)
            }
            FieldCardinality::Map(key) => {
                let values = self.element(&field.ty, rules.values.as_deref());
                let keys = rules.keys.as_deref();
                let map = Object::new().with("type", "object");
                let map = map.with_object("propertyNames", key_schema(key, keys));
                rules.apply_to_map(map.with("additionalProperties", values))
            }
            FieldCardinality::Implicit
            | FieldCardinality::Explicit
            | FieldCardinality::Required => value,
        };
        self.annotate(schema, field, &rules)
    }

    fn element(&mut self, ty: &FieldType, rules: Option<&Rules>) -> Object {
        let rules = rules.cloned().unwrap_or_default();
        let schema = self.value(ty, &rules);
        with_notes(schema, "", &rules.notes_for(ty))
    }

    fn value(&mut self, ty: &FieldType, rules: &Rules) -> Object {
        match ty {
            FieldType::Scalar(scalar) => {
                rules.apply_to_scalar(scalar_schema(*scalar, rules), *scalar)
            }
            FieldType::Message { rust, full_name } => match self.index.message(rust) {
                Some(message) => self.refer(Named::Message(message)),
                None => rules.apply_to_known(known::schema(full_name), full_name),
            },
            FieldType::Enum { rust, full_name } => match self.index.enumeration(rust) {
                Some(enumeration) => match rules.enum_values(enumeration) {
                    Some(values) => Object::new().with("type", "string").with("enum", list(values)),
                    None => self.refer(Named::Enum(enumeration)),
                },
                None => known::schema(full_name),
            },
        }
    }

    fn refer(&mut self, named: Named<'a>) -> Object {
        self.pending.insert(named);
        Object::new().with("$ref", format!("{COMPONENTS}{}", named.full_name()))
    }

    /// Adds what the contract says of the field besides its type.
    fn annotate(&self, schema: Object, field: &Field, rules: &Rules) -> Object {
        let described = with_notes(schema, &field.comment, &rules.notes_for(&field.ty));
        let is = |behavior: &str| field.behaviors.iter().any(|known| known == behavior);
        let annotated = described
            .with_list("examples", rules.examples.clone())
            .with_flag("readOnly", is("OUTPUT_ONLY"))
            .with_flag("writeOnly", is("INPUT_ONLY"))
            .with_flag("deprecated", field.deprecated)
            .with_flag("x-immutable", is("IMMUTABLE"))
            .with_flag("x-identifier", is("IDENTIFIER"))
            .with_flag("x-unordered", is("UNORDERED_LIST"))
            .with_flag("x-redacted", field.redacted);
        self.beside_reference(annotated)
    }

    /// In draft 7 nothing may stand beside a reference.
    fn beside_reference(&self, mut schema: Object) -> Object {
        if self.dialect == Dialect::Draft2020 || schema.iter().count() < 2 {
            return schema;
        }
        match schema.remove("$ref") {
            Some(target) => {
                Object::new().with("allOf", list([Object::new().with("$ref", target)])).and(schema)
            }
            None => schema,
        }
    }

    /// Schemas of everything that was referred to, and of what that refers to, by name.
    pub(in crate::emit) fn components(mut self) -> Object {
        let mut done: BTreeMap<&str, Value> = BTreeMap::new();
        while let Some(named) = self.pending.pop_first() {
            if done.contains_key(named.full_name()) {
                continue;
            }
            let schema = match named {
                Named::Message(message) => message_schema(&mut self, message),
                Named::Enum(enumeration) => enum_schema(enumeration),
            };
            done.insert(named.full_name(), schema.into());
        }
        done.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
    }
}

/// An enum is the name of one of its values.
fn enum_schema(enumeration: &Enum) -> Object {
    let mut description = markdown::commonmark(&enumeration.comment);
    let documented = enumeration.values.iter().filter(|value| !value.comment.trim().is_empty());
    let lines: Vec<_> = documented
        .map(|value| {
            let comment = markdown::commonmark(&value.comment).replace('\n', "\n  ");
            let mark = if value.deprecated { " (deprecated)" } else { "" };
            format!("- `{}`{mark}: {comment}", value.name)
        })
        .collect();
    if !lines.is_empty() {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(&lines.join("\n"));
    }
    Object::new()
        .with("type", "string")
        .with_text("description", description)
        .with("enum", list(enumeration.values.iter().map(|value| &value.name)))
        .with_flag("deprecated", enumeration.deprecated)
}

/// A comment, then what a schema cannot say.
pub(in crate::emit) fn with_notes(schema: Object, comment: &str, notes: &[String]) -> Object {
    let mut description = markdown::commonmark(comment);
    for note in notes {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(note);
    }
    let mut schema = schema;
    if !description.is_empty() {
        schema.set("description", description);
    }
    schema
}

/// Scalars in JSON: numbers of 64 bits and bytes are texts.
fn scalar_schema(scalar: Scalar, rules: &Rules) -> Object {
    let text = |format: &str, pattern: &str| {
        Object::new().with("type", "string").with("format", format).with("pattern", pattern)
    };
    let typed = |name: &str| Object::new().with("type", name);
    match scalar {
        Scalar::Double => float_schema("double", rules),
        Scalar::Float => float_schema("float", rules),
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => {
            typed("integer").with("format", "int32")
        }
        Scalar::Uint32 | Scalar::Fixed32 => {
            typed("integer").with("format", "uint32").with("minimum", 0)
        }
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => text("int64", "^-?[0-9]+$"),
        Scalar::Uint64 | Scalar::Fixed64 => text("uint64", "^[0-9]+$"),
        Scalar::Bool => typed("boolean"),
        Scalar::String => typed("string"),
        Scalar::Bytes => typed("string").with("contentEncoding", "base64"),
    }
}

/// What is no number in JSON is a text, unless rules leave it out.
fn float_schema(format: &str, rules: &Rules) -> Object {
    let number = Object::new().with("type", "number").with("format", format);
    if rules.excludes_infinities() {
        return number;
    }
    let names = list(["NaN", "Infinity", "-Infinity"]);
    let text = Object::new().with("type", "string").with("enum", names);
    Object::new().with("anyOf", list([number, text]))
}

/// Keys are texts in JSON, whatever they are in the contract.
fn key_schema(key: Scalar, rules: Option<&Rules>) -> Object {
    match key {
        Scalar::String => rules
            .map(|rules| rules.apply_to_scalar(Object::new(), Scalar::String))
            .unwrap_or_default(),
        Scalar::Bool => Object::new().with("enum", list(["true", "false"])),
        Scalar::Uint32 | Scalar::Fixed32 | Scalar::Uint64 | Scalar::Fixed64 => {
            Object::new().with("pattern", "^[0-9]+$")
        }
        _ => Object::new().with("pattern", "^-?[0-9]+$"),
    }
}
