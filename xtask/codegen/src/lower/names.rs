//! Rust names of proto things: the one place that decides them.
//!
//! Single names follow prost-build exactly (`prost_build::ident`): snake case and upper
//! camel case by heck, raw identifiers for keywords, `_` behind the five words that
//! cannot be raw and before a digit. prost fails where two names meet in one scope;
//! here the later one gets a suffix instead, see [`Unique`].

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{
    EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MessageDescriptor, OneofDescriptor,
};

use crate::model::TypeRef;

/// Words that Rust allows as raw identifiers alone (The Rust Reference, section Keywords,
/// edition 2024).
const RAW: [&str; 47] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static",
    "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// Words that Rust allows not even as raw identifiers.
const NEVER: [&str; 6] = ["_", "crate", "extern", "self", "Self", "super"];

/// Whether Rust keeps this word for itself.
#[must_use]
pub fn is_keyword(word: &str) -> bool {
    RAW.contains(&word) || NEVER.contains(&word)
}

/// Makes a word an identifier, as prost does.
fn sanitise(word: &str) -> String {
    if RAW.contains(&word) {
        format!("r#{word}")
    } else if NEVER.contains(&word) {
        format!("{word}_")
    } else if word.is_empty() {
        // Of underscores alone, which the case conversion takes away; `_` is no name.
        "__".to_owned()
    } else if word.starts_with(char::is_numeric) {
        format!("_{word}")
    } else {
        word.to_owned()
    }
}

/// Name of a field, a function or a module.
pub(crate) fn snake(name: &str) -> String {
    sanitise(&name.to_snake_case())
}

/// Name of a type or a variant.
pub(super) fn upper(name: &str) -> String {
    sanitise(&name.to_upper_camel_case())
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

/// The Rust type of a message.
pub(super) fn message_type(message: &MessageDescriptor) -> TypeRef {
    type_ref(message.package_name(), message.full_name())
}

/// The Rust type of an enum.
pub(super) fn enum_type(enumeration: &EnumDescriptor) -> TypeRef {
    type_ref(enumeration.package_name(), enumeration.full_name())
}

/// The Rust enum that a oneof becomes, in the module of its message's nested types.
pub(super) fn oneof_type(oneof: &OneofDescriptor) -> TypeRef {
    let message = oneof.parent_message();
    let mut name = upper(oneof.name());
    let messages = message.child_messages().map(|child| upper(child.name()));
    let enums = message.child_enums().map(|child| upper(child.name()));
    if messages.chain(enums).any(|taken| taken == name) {
        name.push_str("OneOf");
    }
    let path = format!("{}::{name}", inner_module(message));
    TypeRef { package: message.package_name().to_owned(), path }
}

/// Whether a message has a module for the types inside it.
pub(super) fn has_module(message: &MessageDescriptor) -> bool {
    message.child_messages().any(|child| !child.is_map_entry())
        || message.child_enums().len() > 0
        || message.oneofs().any(|oneof| !oneof.is_synthetic())
}

/// Path of the module for what is declared inside of a message.
pub(super) fn inner_module(message: &MessageDescriptor) -> String {
    let path = message_type(message).path;
    let outer = path.rsplit_once("::").map(|(module, _)| format!("{module}::"));
    outer.unwrap_or_default() + &snake(message.name())
}

/// Nested types live in a module named after the outer message, as prost has it.
fn type_ref(package: &str, full_name: &str) -> TypeRef {
    let local = full_name.strip_prefix(package).unwrap_or(full_name).trim_start_matches('.');
    let mut path: Vec<_> = local.split('.').map(snake).collect();
    if let (Some(last), Some(name)) = (path.last_mut(), local.rsplit('.').next()) {
        *last = upper(name);
    }
    TypeRef { package: package.to_owned(), path: path.join("::") }
}

/// Names of one scope, in which no two may be the same.
#[derive(Default)]
pub(super) struct Unique {
    taken: BTreeSet<String>,
}

impl Unique {
    /// The name itself, or with a suffix that tells it from one that came before it.
    pub(super) fn take(&mut self, name: String, suffix: impl std::fmt::Display) -> String {
        if self.taken.insert(name.clone()) {
            return name;
        }
        // An identifier with a suffix is no keyword any more.
        let plain = name.strip_prefix("r#").unwrap_or(&name);
        let mut longer = format!("{plain}_{suffix}");
        while !self.taken.insert(longer.clone()) {
            longer.push('_');
        }
        longer
    }
}

/// Names of a message's struct fields by what they are made of: each field outside of a
/// oneof, and each oneof. Fields come first, by number: what is added later to a contract
/// has a higher one and renames nothing.
pub(super) struct Members {
    /// By field number.
    pub(super) fields: BTreeMap<u32, String>,
    /// By the oneof's name.
    pub(super) oneofs: BTreeMap<String, String>,
}

/// Names of everything that a message's struct and its oneofs' enums hold.
pub(super) fn members(message: &MessageDescriptor) -> Members {
    let mut members = Members { fields: BTreeMap::new(), oneofs: BTreeMap::new() };
    let mut scope = Unique::default();
    // By number, because the descriptor keeps them so.
    for field in message.fields().filter(|field| oneof_of(field).is_none()) {
        let name = scope.take(snake(field.name()), field.number());
        members.fields.insert(field.number(), name);
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let name = scope.take(snake(oneof.name()), "oneof");
        members.oneofs.insert(oneof.name().to_owned(), name);
        let mut variants = Unique::default();
        for field in oneof.fields() {
            let name = variants.take(upper(field.name()), field.number());
            members.fields.insert(field.number(), name);
        }
    }
    members
}

/// The name of one field: of the struct's field, or of the variant in its oneof.
pub(super) fn field(field: &FieldDescriptor) -> String {
    let mut names = members(field.parent_message()).fields;
    names.remove(&field.number()).unwrap_or_else(|| snake(field.name()))
}

/// The oneof that the contract puts a field into.
pub(super) fn oneof_of(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

/// Names of an enum's variants by number. prost cuts the enum's name off its values'
/// names; where the rest would meet another one, the whole name stays.
pub(super) fn variants(enumeration: &EnumDescriptor) -> BTreeMap<i32, String> {
    let prefix = upper(enumeration.name());
    let mut scope = Unique::default();
    let mut names = BTreeMap::new();
    for value in declared_values(enumeration) {
        if names.contains_key(&value.number()) {
            continue; // An alias, which becomes no variant.
        }
        let full = upper(value.name());
        let short = full.strip_prefix(prefix.as_str()).unwrap_or(&full);
        let short =
            if short.starts_with(char::is_uppercase) { sanitise(short) } else { full.clone() };
        let name = if scope.taken.contains(&short) { full } else { short };
        let suffix = value.number().to_string().replace('-', "minus_");
        names.insert(value.number(), scope.take(name, suffix));
    }
    names
}

/// Values in the order of the contract; the descriptor keeps them by number.
pub(super) fn declared_values(enumeration: &EnumDescriptor) -> Vec<EnumValueDescriptor> {
    let mut values: Vec<_> = enumeration.values().collect();
    values.sort_by(|a, b| a.path().cmp(b.path()));
    values
}

#[cfg(test)]
mod tests;
