//! Rust names of proto things, and the checks that keep them apart.

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{EnumDescriptor, MessageDescriptor};

use crate::model::TypeRef;

/// Strict and reserved keywords of Rust 2024 (The Rust Reference, section Keywords).
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Whether Rust keeps this word for itself.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// Whether a package segment or a deployable's name is safe as a directory and
/// crate name: lower-case letters, digits, and single `separator`s, starting with a
/// letter.
pub(super) fn is_safe(segment: &str, separator: char) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    segment.starts_with(|c: char| c.is_ascii_lowercase())
        && segment.split(separator).all(|word| !word.is_empty() && word.chars().all(allowed))
}

/// Crate name of a package: `stravasync.athletes.v1` -> `stravasync-athletes-v1`.
pub(super) fn crate_name(package: &str) -> String {
    package.replace(['.', '_'], "-")
}

/// Module of a package inside a port: all but the organisation,
/// `stravasync.athletes.v1` -> `athletes_v1`.
pub(super) fn module(package: &str) -> String {
    let segments: Vec<_> = package.split('.').collect();
    let skipped = usize::from(segments.len() > 2);
    segments[skipped..].join("_")
}

/// The Rust type of a message.
pub(super) fn message_type(message: &MessageDescriptor) -> TypeRef {
    type_ref(message.package_name(), message.full_name())
}

/// The Rust type of an enum.
pub(super) fn enum_type(enumeration: &EnumDescriptor) -> TypeRef {
    type_ref(enumeration.package_name(), enumeration.full_name())
}

/// Nested types live in a module named after the outer message, as prost has it.
fn type_ref(package: &str, full_name: &str) -> TypeRef {
    let local = full_name.strip_prefix(package).unwrap_or(full_name).trim_start_matches('.');
    let segments: Vec<_> = local.split('.').collect();
    let last = segments.len() - 1;
    let path: Vec<_> =
        segments
            .iter()
            .enumerate()
            .map(|(index, segment)| {
                if index == last { segment.to_upper_camel_case() } else { segment.to_snake_case() }
            })
            .collect();
    TypeRef { package: package.to_owned(), path: path.join("::") }
}

/// The variant of an enum's value: prost cuts the enum's name off where what is left
/// is still a name.
pub(super) fn variant(enumeration: &str, value: &str) -> String {
    let full = value.to_upper_camel_case();
    match full.strip_prefix(&enumeration.to_upper_camel_case()) {
        Some(short) if short.starts_with(char::is_uppercase) => short.to_owned(),
        _ => full,
    }
}
