//! Imported files whose types the contracts are made of.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{FileDescriptor, Kind, MessageDescriptor};

use super::names;

/// Files that declare what fields and RPCs of `roots` refer to, and what the fields of
/// their messages refer to in turn, sorted by name. What only options need is not among
/// them.
pub(super) fn needed(roots: &[FileDescriptor]) -> Vec<FileDescriptor> {
    let known: BTreeSet<String> = roots.iter().map(|file| file.name().to_owned()).collect();
    let mut pending: Vec<_> = roots.iter().flat_map(of_services).collect();
    pending.extend(roots.iter().flat_map(of_messages));
    let mut found: BTreeMap<String, FileDescriptor> = BTreeMap::new();
    while let Some(file) = pending.pop() {
        if !known.contains(file.name()) && !found.contains_key(file.name()) {
            pending.extend(of_messages(&file));
            found.insert(file.name().to_owned(), file);
        }
    }
    found.into_values().collect()
}

fn of_services(file: &FileDescriptor) -> Vec<FileDescriptor> {
    let services: Vec<_> = file.services().collect();
    let methods = services.iter().flat_map(|service| service.methods());
    let payloads = methods.flat_map(|method| [method.input(), method.output()]);
    payloads.filter_map(|payload| of_message(&payload)).collect()
}

/// The file of a message, unless a library has its type.
fn of_message(message: &MessageDescriptor) -> Option<FileDescriptor> {
    (!names::message_type(message).is_well_known()).then(|| message.parent_file())
}

fn of_messages(file: &FileDescriptor) -> Vec<FileDescriptor> {
    let mut pending: Vec<_> = file.messages().collect();
    let mut files = Vec::new();
    while let Some(message) = pending.pop() {
        files.extend(message.fields().filter_map(|field| match field.kind() {
            Kind::Message(message) => of_message(&message),
            Kind::Enum(enumeration) => {
                let generated = !names::enum_type(&enumeration).is_well_known();
                generated.then(|| enumeration.parent_file())
            }
            _ => None,
        }));
        pending.extend(message.child_messages());
    }
    files.retain(|other| other.name() != file.name());
    files
}
