//! Messages: what of them emitters need beyond what prost and pbjson write.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

use super::source::Report;
use super::{message_names, names};
use crate::model::{Field, Message, Model, Oneof, Package, TypeRef};

/// Packages whose types come from a library instead of a generated crate.
const WELL_KNOWN: &str = "google.protobuf";

/// Adds the messages and type names of a file to its package.
pub(super) fn lower(package: &mut Package, file: &FileDescriptor, report: &mut Report) {
    package.types.extend(file.messages().map(|message| names::message_type(&message).path));
    package.types.extend(file.enums().map(|enumeration| names::enum_type(&enumeration).path));
    for enumeration in file.enums() {
        message_names::check_enum(file, &enumeration, report);
    }
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
    message_names::check(file, message, report);
    for child in message.child_enums() {
        message_names::check_enum(file, &child, report);
    }
    let oneofs = oneofs(message);
    package.messages.push(Message {
        rust: names::message_type(message),
        full_name: message.full_name().to_owned(),
        fields: fields(message),
        refers: message
            .fields()
            .filter_map(|field| referred(&field))
            .chain(oneofs.iter().map(|oneof| oneof.rust.clone()))
            .collect(),
        oneofs,
    });
    for child in message.child_messages() {
        lower_message(package, file, &child, report);
    }
}

/// The struct's fields as prost makes them: a oneof is one field.
fn fields(message: &MessageDescriptor) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for field in message.fields() {
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        let name = oneof.as_ref().map_or(field.name().to_owned(), |oneof| oneof.name().to_owned());
        let rust_name = name.to_snake_case();
        // What of a oneof must not be printed is known to its enum.
        let redacted = oneof.is_none() && is_redacted(&field);
        if !fields.iter().any(|known| known.rust_name == rust_name) {
            fields.push(Field { rust_name, redacted });
        }
    }
    fields
}

/// The enums that oneofs become, in the module of the message's nested types.
fn oneofs(message: &MessageDescriptor) -> Vec<Oneof> {
    let outer = names::message_type(message);
    let module = outer.path.rsplit_once("::").map(|(module, _)| format!("{module}::"));
    let module = format!("{}{}", module.unwrap_or_default(), message.name().to_snake_case());
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    oneofs
        .map(|oneof| Oneof {
            rust: TypeRef {
                package: outer.package.clone(),
                path: format!("{module}::{}", oneof.name().to_upper_camel_case()),
            },
            variants: oneof
                .fields()
                .map(|field| Field {
                    rust_name: field.name().to_upper_camel_case(),
                    redacted: is_redacted(&field),
                })
                .collect(),
        })
        .collect()
}

/// Refuses fields and payloads of which nothing is generated.
pub(super) fn check_types(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    let generated = |name: &str| model.package(name).is_some();
    for file in files {
        let mut pending: Vec<_> = file.messages().collect();
        while let Some(message) = pending.pop() {
            for field in message.fields() {
                message_names::check_type(file, &field, &generated, report);
            }
            pending.extend(message.child_messages());
        }
        for method in file.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            for payload in [method.input(), method.output()] {
                let (name, package) = (payload.full_name(), payload.package_name());
                if let Some(advice) = message_names::missing(name, package, &generated) {
                    let text = format!("{name} cannot be generated");
                    report.add(file, method.path(), text, advice);
                }
            }
        }
    }
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
