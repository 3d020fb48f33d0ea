//! What a message's names become in Rust, and whether its types exist there.

use std::collections::BTreeMap;

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{
    EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, OneofDescriptor,
};

use super::names;
use super::source::Report;

const RENAME: &str = "Rename one of them.";

/// Checks the names of one message, without those inside it.
pub(super) fn check(file: &FileDescriptor, message: &MessageDescriptor, report: &mut Report) {
    check_type_name(file, message.name(), message.path(), report);
    let mut fields = Scope::new(file, format!("in {}", message.full_name()));
    for field in message.fields() {
        let name = field.name().to_snake_case();
        check_field_name(file, field.name(), &name, field.path(), report);
        fields.add(name, "field", field.name(), field.path(), report);
    }
    let mut types = Scope::new(file, format!("inside {}", message.full_name()));
    for child in message.child_messages().filter(|child| !child.is_map_entry()) {
        types.add(upper(child.name()), "message", child.name(), child.path(), report);
        types.add(child.name().to_snake_case(), "message", child.name(), child.path(), report);
    }
    for child in message.child_enums() {
        types.add(upper(child.name()), "enum", child.name(), child.path(), report);
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let name = oneof.name().to_snake_case();
        check_field_name(file, oneof.name(), &name, oneof.path(), report);
        fields.add(name, "oneof", oneof.name(), oneof.path(), report);
        types.add(upper(oneof.name()), "oneof", oneof.name(), oneof.path(), report);
        check_variants(file, &oneof, report);
    }
}

/// Checks the names of an enum: prost cuts the enum's name off its values' names.
pub(super) fn check_enum(file: &FileDescriptor, enumeration: &EnumDescriptor, report: &mut Report) {
    check_type_name(file, enumeration.name(), enumeration.path(), report);
    let mut scope = Scope::new(file, format!("in {}", enumeration.full_name()));
    let mut numbers = Vec::new();
    for value in enumeration.values() {
        if numbers.contains(&value.number()) {
            continue; // An alias, which becomes no variant.
        }
        numbers.push(value.number());
        let variant = names::variant(enumeration.name(), value.name());
        scope.add(variant, "value", value.name(), value.path(), report);
    }
}

fn check_variants(file: &FileDescriptor, oneof: &OneofDescriptor, report: &mut Report) {
    let mut variants = Scope::new(file, format!("in {}", oneof.full_name()));
    for field in oneof.fields() {
        variants.add(upper(field.name()), "field", field.name(), field.path(), report);
    }
}

fn check_type_name(file: &FileDescriptor, name: &str, place: &[i32], report: &mut Report) {
    let rust_name = upper(name);
    if rust_name == "Self" || !rust_name.starts_with(|c: char| c.is_ascii_uppercase()) {
        let message =
            format!("`{name}` becomes `{rust_name}`, which is no name for a type in Rust");
        report.add(file, place, message, "Choose another name, starting with a letter.");
    }
}

fn check_field_name(
    file: &FileDescriptor,
    name: &str,
    rust_name: &str,
    place: &[i32],
    report: &mut Report,
) {
    if names::is_keyword(rust_name) {
        let advice = "Choose another name, for example with the thing it belongs to: `sport_type` \
                      instead of `type`.";
        report.add(file, place, format!("field `{name}` is a keyword in Rust"), advice);
    } else if !rust_name.starts_with(|c: char| c.is_ascii_lowercase()) {
        let message = format!("field `{name}` becomes `{rust_name}`, which is no name in Rust");
        report.add(file, place, message, "Choose another name, starting with a letter.");
    }
}

/// Refuses a type of a package that nothing is generated of.
pub(super) fn check_type(
    file: &FileDescriptor,
    field: &FieldDescriptor,
    generated: &dyn Fn(&str) -> bool,
    report: &mut Report,
) {
    let (name, package) = match field.kind() {
        Kind::Message(message) if message.is_map_entry() => return,
        Kind::Message(message) => {
            (message.full_name().to_owned(), message.package_name().to_owned())
        }
        Kind::Enum(enumeration) => {
            (enumeration.full_name().to_owned(), enumeration.package_name().to_owned())
        }
        _ => return,
    };
    if let Some(advice) = missing(&name, &package, generated) {
        report.add(file, field.path(), format!("{name} cannot be generated"), advice);
    }
}

/// What to do about a type of which there is no Rust; none when there is.
pub(super) fn missing(
    name: &str,
    package: &str,
    generated: &dyn Fn(&str) -> bool,
) -> Option<&'static str> {
    /// Well-known types that contracts are written with.
    const WELL_KNOWN: [&str; 18] = [
        "Any",
        "BoolValue",
        "BytesValue",
        "DoubleValue",
        "Duration",
        "Empty",
        "FieldMask",
        "FloatValue",
        "Int32Value",
        "Int64Value",
        "ListValue",
        "NullValue",
        "StringValue",
        "Struct",
        "Timestamp",
        "UInt32Value",
        "UInt64Value",
        "Value",
    ];
    if package == "google.protobuf" {
        let known = name.rsplit('.').next().is_some_and(|last| WELL_KNOWN.contains(&last));
        return (!known).then_some("Use a type of your own instead of a descriptor's.");
    }
    (!generated(package)).then_some("Declare a message of your own: imports are not generated.")
}

/// Names in one place of the Rust code, each with what it comes from.
struct Scope<'a> {
    file: &'a FileDescriptor,
    place: String,
    names: BTreeMap<String, String>,
}

impl<'a> Scope<'a> {
    fn new(file: &'a FileDescriptor, place: String) -> Self {
        Self { file, place, names: BTreeMap::new() }
    }

    fn add(&mut self, name: String, kind: &str, origin: &str, path: &[i32], report: &mut Report) {
        let origin = format!("{kind} {origin}");
        match self.names.insert(name.clone(), origin.clone()) {
            Some(other) if other != origin => {
                let place = &self.place;
                let message = format!("{other} and {origin} {place} both become `{name}` in Rust");
                report.add(self.file, path, message, RENAME);
            }
            _ => {}
        }
    }
}

fn upper(name: &str) -> String {
    name.to_upper_camel_case()
}
