//! Messages and enums, and links to them.

use super::events;
use super::html::{badge, block, brief, code, code_link, comment, details, escape, heading, table};
use super::links;
use crate::emit::document::example::{Examples, Writer};
use crate::emit::document::index::local;
use crate::emit::document::schema::rules::{MessageRules, Rules};
use crate::emit::document::{Index, markdown};
use crate::model::{Enum, Field, FieldCardinality, FieldType, Message, Package, Scalar, TypeRef};

/// A link to a message, seen from a package's page; plain for what a library brings.
fn message_link(index: &Index<'_>, package: &Package, rust: &TypeRef) -> String {
    match index.message(rust) {
        Some(message) => type_link(package, &rust.package, &message.full_name),
        None => code(&index.message_name(rust)),
    }
}

fn type_link(from: &Package, package: &str, full_name: &str) -> String {
    let name = local(package, full_name);
    if package == from.name {
        code_link(&format!("#{name}"), name)
    } else {
        code_link(&format!("../{}", links::within(package, full_name)), full_name)
    }
}

/// The declaration of an RPC.
pub(super) fn signature(
    index: &Index<'_>,
    package: &Package,
    name: &str,
    (input, client_streaming): (&TypeRef, bool),
    (output, server_streaming): (&TypeRef, bool),
) -> String {
    let stream = |streaming: bool| if streaming { "<b>stream</b> " } else { "" };
    format!(
        "<p class=\"signature\"><b>rpc</b> {}({}{}) <b>returns</b> ({}{})</p>\n",
        escape(name),
        stream(client_streaming),
        message_link(index, package, input),
        stream(server_streaming),
        message_link(index, package, output),
    )
}

/// The part of a package's page about a message.
pub(super) fn message(index: &Index<'_>, package: &Package, message: &Message) -> String {
    let name = local(&package.name, &message.full_name);
    let event = package.events.iter().find(|event| event.full_name == message.full_name);
    let kind = if event.is_some() { "event" } else { "message" };
    let mut badges = format!(" <span class=\"kind\">{kind}</span>");
    if message.deprecated {
        badges.push_str(&badge("deprecated", "deprecated"));
    }
    let mut out = heading(3, name, name, &badges);
    out.push_str(&comment(&message.comment));
    if let Some(event) = event {
        out.push_str(&events::section(index, event));
    }
    for note in &MessageRules::of(message).notes {
        out.push_str(&format!("<p>{}</p>\n", brief(note)));
    }
    let rows: Vec<_> =
        message.fields.iter().map(|field| field_row(index, package, message, field)).collect();
    out.push_str(&table(&["Field", "Type", "Number", "What it is"], &rows));
    if rows.is_empty() {
        out.push_str("<p class=\"soft\">It has no fields.</p>\n");
    } else if let Some(example) = Examples::new(index, Writer::Server).message(&message.rust) {
        out.push_str(&details("As JSON", &block(example.document().trim_end())));
    }
    out
}

fn field_row(
    index: &Index<'_>,
    package: &Package,
    message: &Message,
    field: &Field,
) -> Vec<String> {
    let mut name = code(&field.name);
    if field.json_name != field.name {
        name.push_str(&format!("<br><span class=\"soft\">JSON {}</span>", code(&field.json_name)));
    }
    vec![
        name,
        type_text(index, package, message, field),
        field.number.to_string(),
        format!("{}{}", brief(&field.comment), marks(field)),
    ]
}

fn type_text(index: &Index<'_>, package: &Package, message: &Message, field: &Field) -> String {
    let value = match &field.ty {
        FieldType::Scalar(scalar) => code(scalar_name(*scalar)),
        FieldType::Message { rust, full_name } | FieldType::Enum { rust, full_name } => {
            if index.is_package(&rust.package) {
                type_link(package, &rust.package, full_name)
            } else {
                code(full_name)
            }
        }
    };
    match field.cardinality {
        FieldCardinality::Repeated => format!("repeated {value}"),
        FieldCardinality::Map(key) => format!("map of {} to {value}", code(scalar_name(key))),
        FieldCardinality::Required => format!("required {value}"),
        FieldCardinality::Explicit if field.oneof.is_none() => match &field.ty {
            FieldType::Message { .. } => value,
            _ => format!("optional {value}"),
        },
        _ => match field.oneof.and_then(|oneof| message.oneofs.get(oneof)) {
            Some(oneof) => {
                format!("{value}<br><span class=\"soft\">one of {}</span>", code(&oneof.name))
            }
            None => value,
        },
    }
}

/// What options and rules say of a field.
fn marks(field: &Field) -> String {
    let mut marks: Vec<String> = Vec::new();
    if field.deprecated {
        marks.push(badge("deprecated", "deprecated"));
    }
    if field.redacted {
        marks.push(badge("redacted", "redacted in logs"));
    }
    let behaviors = field.behaviors.iter().map(|one| one.to_lowercase().replace('_', " "));
    marks.extend(behaviors.map(|text| badge("rule", &text)));
    let rules = Rules::of(field);
    marks.extend(rules.words().iter().map(|text| badge("rule", text)));
    marks.extend(
        rules.notes.iter().map(|note| format!("<span class=\"note\">{}</span>", brief(note))),
    );
    if marks.is_empty() {
        String::new()
    } else {
        format!("<span class=\"marks\">{}</span>", marks.join(" "))
    }
}

fn scalar_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Double => "double",
        Scalar::Float => "float",
        Scalar::Int32 => "int32",
        Scalar::Int64 => "int64",
        Scalar::Uint32 => "uint32",
        Scalar::Uint64 => "uint64",
        Scalar::Sint32 => "sint32",
        Scalar::Sint64 => "sint64",
        Scalar::Fixed32 => "fixed32",
        Scalar::Fixed64 => "fixed64",
        Scalar::Sfixed32 => "sfixed32",
        Scalar::Sfixed64 => "sfixed64",
        Scalar::Bool => "bool",
        Scalar::String => "string",
        Scalar::Bytes => "bytes",
    }
}

/// The part of a package's page about an enum.
pub(super) fn enumeration(package: &Package, enumeration: &Enum) -> String {
    let name = local(&package.name, &enumeration.full_name);
    let mut badges = String::from(" <span class=\"kind\">enum</span>");
    if enumeration.deprecated {
        badges.push_str(&badge("deprecated", "deprecated"));
    }
    let mut out = heading(3, name, name, &badges);
    out.push_str(&comment(&enumeration.comment));
    let rows: Vec<_> = enumeration
        .values
        .iter()
        .map(|value| {
            let mark =
                if value.deprecated { badge("deprecated", "deprecated") } else { String::new() };
            vec![
                code(&value.name),
                value.number.to_string(),
                format!("{}{mark}", brief(&value.comment)),
            ]
        })
        .collect();
    out.push_str(&table(&["Value", "Number", "What it means"], &rows));
    out
}

/// First sentence for a list.
pub(super) fn about(comment: &str) -> String {
    escape(&markdown::summary(comment))
}
