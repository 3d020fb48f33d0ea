//! Messages: what of them emitters need beyond what prost and pbjson write.

use std::collections::BTreeSet;

use heck::ToSnakeCase;
use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

use super::names;
use super::source::Report;
use crate::model::{Field, Message, Package, TypeRef};

/// Packages whose types come from a library instead of a generated crate.
const WELL_KNOWN: &str = "google.protobuf";

/// Adds the messages and type names of a file to its package.
pub(super) fn lower(package: &mut Package, file: &FileDescriptor, report: &mut Report) {
    package.types.extend(file.messages().map(|message| names::message_type(&message).path));
    package.types.extend(file.enums().map(|enumeration| names::enum_type(&enumeration).path));
    for message in file.messages() {
        lower_message(package, file, &message, report);
    }
}

fn lower_message(
    package: &mut Package,
    file: &FileDescriptor,
    message: &MessageDescriptor,
    report: &mut Report,
) {
    if message.is_map_entry() {
        return;
    }
    check_field_names(file, message, report);
    package.messages.push(Message {
        rust: names::message_type(message),
        full_name: message.full_name().to_owned(),
        fields: fields(message),
        refers: message.fields().filter_map(|field| referred(&field)).collect(),
    });
    for child in message.child_messages() {
        lower_message(package, file, &child, report);
    }
}

/// The struct's fields as prost makes them: a oneof is one field.
fn fields(message: &MessageDescriptor) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for field in message.fields() {
        let redacted = is_redacted(&field);
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        let name = oneof.as_ref().map_or(field.name().to_owned(), |oneof| oneof.name().to_owned());
        let rust_name = name.to_snake_case();
        match fields.iter_mut().find(|known| known.rust_name == rust_name) {
            Some(known) => known.redacted |= redacted,
            None => fields.push(Field { rust_name, redacted }),
        }
    }
    fields
}

fn is_redacted(field: &FieldDescriptor) -> bool {
    let options = field.options();
    options.get_field_by_name("debug_redact").and_then(|value| value.as_bool()) == Some(true)
}

fn referred(field: &FieldDescriptor) -> Option<TypeRef> {
    match field.kind() {
        Kind::Message(message) if message.is_map_entry() => {
            referred(&message.map_entry_value_field())
        }
        Kind::Message(message) => Some(names::message_type(&message)),
        Kind::Enum(enumeration) => Some(names::enum_type(&enumeration)),
        _ => None,
    }
}

fn check_field_names(file: &FileDescriptor, message: &MessageDescriptor, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for field in message.fields() {
        let rust_name = field.name().to_snake_case();
        if names::is_keyword(&rust_name) {
            report.add(
                file,
                field.path(),
                format!("field `{}` is a keyword in Rust", field.name()),
                "Choose another name, for example with the thing it belongs to: `sport_type` \
                 instead of `type`.",
            );
        }
        if !seen.insert(rust_name.clone()) {
            report.add(
                file,
                field.path(),
                format!("two fields of {} become `{rust_name}` in Rust", message.full_name()),
                "Rename one of them.",
            );
        }
    }
}

/// Other generated packages that a package's types, methods and events refer to.
pub(super) fn dependencies(package: &Package) -> Vec<String> {
    let fields = package.messages.iter().flat_map(|message| &message.refers);
    let methods = package.services.iter().flat_map(|service| &service.methods);
    let rpc = methods.flat_map(|method| [&method.input, &method.output]);
    let workflows = package.workflows.iter().flat_map(|service| &service.workflows);
    let workflows = workflows.flat_map(|workflow| [&workflow.input, &workflow.output]);
    let activities = package.workflows.iter().flat_map(|service| &service.activities);
    let activities = activities.flat_map(|activity| [&activity.input, &activity.output]);
    let referred = fields.chain(rpc).chain(workflows).chain(activities);
    let names: BTreeSet<_> = referred
        .map(|reference| reference.package.clone())
        .filter(|name| name != WELL_KNOWN && *name != package.name)
        .collect();
    names.into_iter().collect()
}
