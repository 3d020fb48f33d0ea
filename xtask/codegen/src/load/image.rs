//! What an image holds besides what descriptors tell, and its positions in order.

use std::collections::BTreeSet;

use prost::Message;
use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field,
};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use prost_types::SourceCodeInfo;

/// `google.protobuf.FileDescriptorSet`, as far as it is needed here.
#[derive(Clone, PartialEq, Message)]
struct Image {
    #[prost(message, repeated, tag = "1")]
    file: Vec<ImageFile>,
}

/// `google.protobuf.FileDescriptorProto` with what buf adds to it
/// (`buf.alpha.image.v1.ImageFileExtension`).
#[derive(Clone, PartialEq, Message)]
struct ImageFile {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, optional, tag = "8042")]
    buf: Option<ImageFileExtension>,
}

#[derive(Clone, PartialEq, Message)]
struct ImageFileExtension {
    #[prost(bool, optional, tag = "1")]
    is_import: Option<bool>,
}

/// Names of the files that an image was built of, without their imports. buf marks
/// imports; of other compilers' images, which do not, all files count but those of
/// `google/protobuf`, which come with every compiler.
pub(super) fn files_to_generate(image: &[u8]) -> Result<BTreeSet<String>, prost::DecodeError> {
    let files = Image::decode(image)?.file.into_iter();
    let marked = |file: &ImageFile| file.buf.as_ref().and_then(|buf| buf.is_import) == Some(true);
    let wanted = files.filter(|file| !marked(file)).filter_map(|file| file.name);
    Ok(wanted.filter(|name| !name.starts_with("google/protobuf/")).collect())
}

/// Field numbers of `google/protobuf/descriptor.proto`.
const SET_FILE: u32 = 1;
const FILE_SOURCE_CODE_INFO: u32 = 9;

/// The image with the positions of each file sorted by path, so that they can be
/// searched; everything else, options that nobody here knows included, byte for byte.
/// Nothing when the bytes are no image, of which the parser knows more to say.
pub(super) fn sort_positions(image: &[u8]) -> Option<Vec<u8>> {
    rewrite(image, SET_FILE, |file| {
        rewrite(file, FILE_SOURCE_CODE_INFO, |info| {
            let mut info = SourceCodeInfo::decode(info).ok()?;
            info.location.sort_by(|a, b| a.path.cmp(&b.path));
            Some(info.encode_to_vec())
        })
    })
}

/// Copies an encoded message and changes the fields of one number, which are messages.
fn rewrite(
    message: &[u8],
    number: u32,
    change: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(message.len());
    let mut rest = message;
    while !rest.is_empty() {
        let before = rest;
        let (tag, wire_type) = decode_key(&mut rest).ok()?;
        if (tag, wire_type) == (number, WireType::LengthDelimited) {
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
            let changed = change(rest.get(..length)?)?;
            rest = rest.get(length..)?;
            encode_key(tag, wire_type, &mut output);
            encode_varint(u64::try_from(changed.len()).ok()?, &mut output);
            output.extend(changed);
        } else {
            skip_field(wire_type, tag, &mut rest, DecodeContext::default()).ok()?;
            output.extend(before.get(..before.len() - rest.len())?);
        }
    }
    Some(output)
}

/// A name that no contract can be written with, and the file that it is in. Compilers
/// refuse such; an image may come from anywhere.
pub(super) fn strange_name(pool: &DescriptorPool) -> Option<(String, String)> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    pool.files().find_map(|file| {
        // The package is checked where something is named after it.
        let file = file.file_descriptor_proto();
        let mut names: Vec<&str> = Vec::new();
        let mut pending: Vec<_> = file.message_type.iter().collect();
        let mut enums: Vec<_> = file.enum_type.iter().collect();
        while let Some(message) = pending.pop() {
            names.push(message.name());
            names.extend(message.field.iter().map(|field| field.name()));
            names.extend(message.oneof_decl.iter().map(|oneof| oneof.name()));
            enums.extend(&message.enum_type);
            pending.extend(&message.nested_type);
        }
        for enumeration in enums {
            names.push(enumeration.name());
            names.extend(enumeration.value.iter().map(|value| value.name()));
        }
        for service in &file.service {
            names.push(service.name());
            names.extend(service.method.iter().map(|method| method.name()));
        }
        let strange = names.into_iter().find(|name| !is_name(name))?;
        Some((file.name().to_owned(), strange.to_owned()))
    })
}

/// A message that claims to be the entry of a map and is none, and the file that it is
/// in. What is made of a map asks for its key and its value.
pub(super) fn strange_entry(pool: &DescriptorPool) -> Option<(String, String)> {
    let mut entries = pool.all_messages().filter(MessageDescriptor::is_map_entry);
    let strange = entries.find(|entry| !is_entry(entry))?;
    Some((strange.parent_file().name().to_owned(), strange.full_name().to_owned()))
}

/// Whether this has the form of an entry (descriptor.proto, `MessageOptions.map_entry`; the
/// language guide, section Maps).
fn is_entry(entry: &MessageDescriptor) -> bool {
    let (Some(key), Some(value)) = (entry.get_field(1), entry.get_field(2)) else { return false };
    let key_kind = !matches!(
        key.kind(),
        Kind::Double | Kind::Float | Kind::Bytes | Kind::Message(_) | Kind::Enum(_)
    );
    let single = !key.is_list() && !value.is_list();
    let named = key.name() == "key" && value.name() == "value";
    entry.parent_message().is_some() && entry.fields().len() == 2 && key_kind && single && named
}
