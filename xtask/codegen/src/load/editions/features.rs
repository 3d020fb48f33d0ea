//! Features of an edition, inherited from file to field.

use std::collections::BTreeSet;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::uninterpreted_option::NamePart;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FieldOptions, FileDescriptorProto,
    UninterpretedOption,
};

use super::source::DEFAULT;

/// What features say that proto2 cannot, by full names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Fields of which absence is the same as their default.
    pub implicit: BTreeSet<String>,
    /// Repeated fields whose numbers share one length on the wire.
    pub packed: BTreeSet<String>,
    /// Fields whose messages stand between two keys on the wire.
    pub delimited: BTreeSet<String>,
    /// Enums that hold numbers which they do not name.
    pub open: BTreeSet<String>,
}

/// Features as they count at one element.
#[derive(Clone, Copy)]
struct Set {
    presence: Presence,
    packed: bool,
    delimited: bool,
    open: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Presence {
    Explicit,
    Implicit,
    Required,
}

/// The defaults of edition 2023.
const DEFAULTS: Set =
    Set { presence: Presence::Explicit, packed: true, delimited: false, open: true };

/// Takes the features out of a parsed file, makes it proto2, and tells what that cannot say.
pub(super) fn resolve(file: &mut FileDescriptorProto) -> Result<Features, String> {
    let mut found = Features::default();
    let options = file.options.as_mut().map(|options| &mut options.uninterpreted_option);
    let set = DEFAULTS.with(options)?;
    let package = file.package().to_owned();
    file.syntax = None;
    for message in &mut file.message_type {
        visit_message(message, &package, set, &mut found)?;
    }
    for enumeration in &mut file.enum_type {
        visit_enum(enumeration, &package, set, &mut found)?;
    }
    for extension in &mut file.extension {
        visit_field(extension, &package, set, false, &mut found)?;
    }
    for service in &mut file.service {
        drop_features(service.options.as_mut().map(|options| &mut options.uninterpreted_option))?;
        for method in &mut service.method {
            let options = method.options.as_mut();
            drop_features(options.map(|options| &mut options.uninterpreted_option))?;
        }
    }
    Ok(found)
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

fn visit_message(
    message: &mut DescriptorProto,
    scope: &str,
    set: Set,
    found: &mut Features,
) -> Result<(), String> {
    let name = join(scope, message.name());
    let options = message.options.as_mut();
    let set = set.with(options.map(|options| &mut options.uninterpreted_option))?;
    for range in &mut message.extension_range {
        drop_features(range.options.as_mut().map(|options| &mut options.uninterpreted_option))?;
    }
    for oneof in &mut message.oneof_decl {
        drop_features(oneof.options.as_mut().map(|options| &mut options.uninterpreted_option))?;
    }
    // The two fields of a map's entry are the map's own, and lengths are before them.
    let is_entry = message.options.as_ref().is_some_and(|options| options.map_entry());
    let set = if is_entry { DEFAULTS } else { set };
    for field in &mut message.field {
        visit_field(field, &name, set, is_entry, found)?;
    }
    for extension in &mut message.extension {
        visit_field(extension, &name, set, false, found)?;
    }
    for nested in &mut message.nested_type {
        visit_message(nested, &name, set, found)?;
    }
    for enumeration in &mut message.enum_type {
        visit_enum(enumeration, &name, set, found)?;
    }
    Ok(())
}

fn visit_field(
    field: &mut FieldDescriptorProto,
    scope: &str,
    set: Set,
    in_entry: bool,
    found: &mut Features,
) -> Result<(), String> {
    let name = join(scope, field.name());
    if let Some(options) = field.options.as_mut() {
        let default =
            options.uninterpreted_option.iter().position(|option| is_named(option, DEFAULT));
        if let Some(index) = default {
            field.default_value =
                Some(text(&options.uninterpreted_option.remove(index), field.r#type));
        }
    }
    let set = set.with(field.options.as_mut().map(|options| &mut options.uninterpreted_option))?;
    if field.options.as_ref() == Some(&FieldOptions::default()) {
        field.options = None;
    }
    let repeated = field.label() == Label::Repeated;
    let alone = !repeated && field.oneof_index.is_none() && field.extendee.is_none() && !in_entry;
    match set.presence {
        Presence::Required if alone => field.label = Some(Label::Required.into()),
        Presence::Implicit if alone => {
            found.implicit.insert(name.clone());
        }
        _ => {}
    }
    if repeated && set.packed {
        found.packed.insert(name.clone());
    }
    if set.delimited && field.type_name.is_some() {
        found.delimited.insert(name);
    }
    Ok(())
}

fn visit_enum(
    enumeration: &mut EnumDescriptorProto,
    scope: &str,
    set: Set,
    found: &mut Features,
) -> Result<(), String> {
    let options = enumeration.options.as_mut();
    let set = set.with(options.map(|options| &mut options.uninterpreted_option))?;
    for value in &mut enumeration.value {
        drop_features(value.options.as_mut().map(|options| &mut options.uninterpreted_option))?;
    }
    if set.open {
        found.open.insert(join(scope, enumeration.name()));
    }
    Ok(())
}

fn is_named(option: &UninterpretedOption, name: &str) -> bool {
    let first = option.name.first().map(|part| (part.name_part.as_str(), part.is_extension));
    first == Some((name, false))
}

/// A default in the words of a descriptor.
fn text(option: &UninterpretedOption, kind: Option<i32>) -> String {
    let sign = |negative: bool| if negative { "-" } else { "" };
    if let Some(value) = &option.string_value {
        let is_bytes = kind == Some(Type::Bytes.into());
        return if is_bytes {
            let escaped = value.iter().copied().flat_map(std::ascii::escape_default);
            escaped.map(char::from).collect()
        } else {
            String::from_utf8_lossy(value).into_owned()
        };
    }
    if let Some(value) = option.positive_int_value {
        return value.to_string();
    }
    if let Some(value) = option.negative_int_value {
        return value.to_string();
    }
    if let Some(value) = option.double_value {
        return if value.is_infinite() {
            format!("{}inf", sign(value < 0.0))
        } else {
            value.to_string().to_ascii_lowercase()
        };
    }
    option.identifier_value.clone().unwrap_or_default()
}

fn drop_features(options: Option<&mut Vec<UninterpretedOption>>) -> Result<(), String> {
    DEFAULTS.with(options).map(|_| ())
}

impl Set {
    /// These features with what an element's options change, which are taken out.
    fn with(mut self, options: Option<&mut Vec<UninterpretedOption>>) -> Result<Self, String> {
        let Some(options) = options else { return Ok(self) };
        let (features, others) =
            std::mem::take(options).into_iter().partition(|option| is_named(option, "features"));
        *options = others;
        for option in features {
            match option.name.as_slice() {
                // `features.(pb.go).api_level` and the like are for other languages.
                [_, NamePart { is_extension: true, .. }, ..] => {}
                [_, feature] => {
                    let value = option.identifier_value.as_deref().unwrap_or_default();
                    self.set(&feature.name_part, value)?;
                }
                _ => {
                    let text = option.aggregate_value.as_deref().unwrap_or_default();
                    let separators =
                        |c: char| c.is_whitespace() || matches!(c, ':' | ',' | ';' | '{' | '}');
                    let words: Vec<_> =
                        text.split(separators).filter(|word| !word.is_empty()).collect();
                    for pair in words.chunks_exact(2) {
                        self.set(pair[0], pair[1])?;
                    }
                }
            }
        }
        Ok(self)
    }

    fn set(&mut self, feature: &str, value: &str) -> Result<(), String> {
        match (feature, value) {
            ("field_presence", "EXPLICIT") => self.presence = Presence::Explicit,
            ("field_presence", "IMPLICIT") => self.presence = Presence::Implicit,
            ("field_presence", "LEGACY_REQUIRED") => self.presence = Presence::Required,
            ("enum_type", "OPEN") => self.open = true,
            ("enum_type", "CLOSED") => self.open = false,
            ("repeated_field_encoding", "PACKED") => self.packed = true,
            ("repeated_field_encoding", "EXPANDED") => self.packed = false,
            ("message_encoding", "LENGTH_PREFIXED") => self.delimited = false,
            ("message_encoding", "DELIMITED") => self.delimited = true,
            // prost's texts are always UTF-8, and JSON is always written.
            ("utf8_validation", "VERIFY" | "NONE")
            | ("json_format", "ALLOW" | "LEGACY_BEST_EFFORT") => {}
            _ => return Err(format!("feature {feature} = {value} is not known")),
        }
        Ok(())
    }
}
