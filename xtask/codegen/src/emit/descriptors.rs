//! The descriptors of a port's services, for gRPC reflection.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_reflect::{FileDescriptor, Kind};
use prost_types::FileDescriptorSet;

use super::rust;
use crate::load::Contracts;

/// Longest line of the constant.
const WIDTH: usize = 96;

/// The files that declare some services, and what their types need, without
/// comments.
///
/// Options are left out, and with them the imports that only options need: such
/// a file may be another one in another compiler, and nobody who calls asks for it.
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
    constant(&FileDescriptorSet { file: found.into_values().collect() }.encode_to_vec())
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
