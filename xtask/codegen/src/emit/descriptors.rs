//! The descriptors of a port's services, for gRPC reflection.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FileDescriptor, Kind, MessageDescriptor, Value,
};
use prost_types::FileDescriptorSet;

use super::rust;
use crate::load::Contracts;
use crate::lower::is_redacted;

/// Longest line of the constant.
const WIDTH: usize = 96;

/// The files that declare some services, and what their types need, without
/// comments.
///
/// Options are left out, and with them the imports that only options need: such
/// a file may be another one in another compiler, and nobody who calls asks for it. One
/// stays, `debug_redact`: whoever shows a message by its descriptor has to know.
pub(super) fn emit(services: &[String], contracts: &Contracts) -> String {
    let named = services.iter().filter_map(|name| contracts.pool.get_service_by_name(name));
    let mut pending: Vec<_> = named.map(|service| service.parent_file()).collect();
    let mut found = BTreeMap::new();
    while let Some(file) = pending.pop() {
        if found.contains_key(file.name()) {
            continue;
        }
        let needed = needed_files(&file);
        let mut plain = file.file_descriptor_proto().clone();
        plain.source_code_info = None;
        plain.dependency = needed.keys().cloned().collect();
        plain.public_dependency.clear();
        plain.weak_dependency.clear();
        found.insert(file.name().to_owned(), plain);
        pending.extend(needed.into_values());
    }
    let set = FileDescriptorSet { file: found.into_values().collect() };
    constant(&with_redactions(&set, &contracts.pool))
}

/// The set's bytes, with `debug_redact` on the fields that have it: `prost_types` is older
/// than that option.
fn with_redactions(set: &FileDescriptorSet, pool: &DescriptorPool) -> Vec<u8> {
    let bytes = set.encode_to_vec();
    // Without options nobody imports the file that declares them, and nothing is redacted.
    let Some(descriptor) = pool.get_message_by_name("google.protobuf.FileDescriptorSet") else {
        return bytes;
    };
    let Ok(mut dynamic) = DynamicMessage::decode(descriptor, bytes.as_slice()) else {
        return bytes;
    };
    for file in messages_of(&mut dynamic, "file") {
        let name = file.get_field_by_name("name").and_then(|name| name.as_str().map(str::to_owned));
        let Some(source) = name.and_then(|name| pool.get_file_by_name(&name)) else { continue };
        for (message, source) in messages_of(file, "message_type").zip(source.messages()) {
            redact(message, &source);
        }
    }
    dynamic.encode_to_vec()
}

/// Marks the fields of a `DescriptorProto`, and of those that are declared inside of it.
fn redact(message: &mut DynamicMessage, source: &MessageDescriptor) {
    for field in messages_of(message, "field") {
        let number = field.get_field_by_name("number").and_then(|number| number.as_i32());
        let number = number.and_then(|number| u32::try_from(number).ok());
        let redacted =
            number.and_then(|number| source.get_field(number)).is_some_and(|one| is_redacted(&one));
        if redacted && let Some(Value::Message(options)) = field.get_field_by_name_mut("options") {
            options.set_field_by_name("debug_redact", Value::Bool(true));
        }
    }
    for (nested, source) in messages_of(message, "nested_type").zip(source.child_messages()) {
        redact(nested, &source);
    }
}

/// The messages in a repeated field.
fn messages_of<'a>(
    message: &'a mut DynamicMessage,
    field: &str,
) -> impl Iterator<Item = &'a mut DynamicMessage> {
    let list = message.get_field_by_name_mut(field).and_then(Value::as_list_mut);
    list.into_iter().flatten().filter_map(Value::as_message_mut)
}

/// A file that holds the bytes as a literal: what a plugin of buf or protoc answers with
/// is text.
fn constant(bytes: &[u8]) -> String {
    let mut text = format!(
        "{}//! The served contracts, as a serialised `google.protobuf.FileDescriptorSet`.\n\n\
         pub(crate) const FILE_DESCRIPTOR_SET: &[u8] = b\"\\\n",
        rust::HEADER
    );
    let mut line = String::new();
    for &byte in bytes {
        let escaped = byte.escape_ascii().to_string();
        if line.len() + escaped.len() >= WIDTH {
            text.extend([line.as_str(), "\\\n"]);
            line.clear();
        }
        // A line that continues another one loses the blanks that it begins with.
        line.push_str(if line.is_empty() && escaped == " " { "\\x20" } else { &escaped });
    }
    text.extend([line.as_str(), "\";\n"]);
    text
}

/// Other files that declare the types of a file's fields, methods and extensions.
fn needed_files(file: &FileDescriptor) -> BTreeMap<String, FileDescriptor> {
    let mut messages: Vec<_> = file.messages().collect();
    let mut needed: Vec<_> =
        file.extensions().map(|extension| extension.containing_message().parent_file()).collect();
    for method in file.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        needed.extend([method.input().parent_file(), method.output().parent_file()]);
    }
    let mut kinds: Vec<_> = file.extensions().map(|extension| extension.kind()).collect();
    while let Some(message) = messages.pop() {
        kinds.extend(message.fields().map(|field| field.kind()));
        messages.extend(message.child_messages());
    }
    needed.extend(kinds.into_iter().filter_map(|kind| match kind {
        Kind::Message(message) => Some(message.parent_file()),
        Kind::Enum(enumeration) => Some(enumeration.parent_file()),
        _ => None,
    }));
    let named = needed.into_iter().map(|needed| (needed.name().to_owned(), needed));
    named.filter(|(name, _)| name != file.name()).collect()
}
