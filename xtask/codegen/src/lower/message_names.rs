//! What the names of types become in Rust, and whether they exist there.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

use super::names;
use super::source::Report;
use crate::model::WELL_KNOWN;

const RENAME: &str = "Rename one of them.";

/// Checks the names of the types in one message, without those deeper inside it. Fields
/// and variants that meet are told apart by [`names`]; types cannot be, because every
/// reference to them would have to know.
pub(super) fn check(file: &FileDescriptor, message: &MessageDescriptor, report: &mut Report) {
    check_type_name(file, message.name(), message.path(), report);
    let mut types = Scope::new(file, format!("inside {}", message.full_name()));
    for child in message.child_messages().filter(|child| !child.is_map_entry()) {
        types.add(names::upper(child.name()), "message", child.name(), child.path(), report);
        types.add(names::snake(child.name()), "message", child.name(), child.path(), report);
    }
    for child in message.child_enums() {
        types.add(names::upper(child.name()), "enum", child.name(), child.path(), report);
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let path = names::oneof_type(&oneof).path;
        let name = path.rsplit("::").next().unwrap_or_default();
        types.add(name.to_owned(), "oneof", oneof.name(), oneof.path(), report);
    }
}

/// Checks the name of an enum.
pub(super) fn check_enum(file: &FileDescriptor, enumeration: &EnumDescriptor, report: &mut Report) {
    check_type_name(file, enumeration.name(), enumeration.path(), report);
}

fn check_type_name(file: &FileDescriptor, name: &str, place: &[i32], report: &mut Report) {
    if names::upper(name).trim_matches('_').is_empty() {
        let message = format!("`{name}` gives no name for a type in Rust");
        report.add(file, place, message, "Choose another name, with a letter.");
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
    if package == "google.protobuf" && !generated(package) {
        let known = name.rsplit('.').next().is_some_and(|last| WELL_KNOWN.contains(&last));
        return (!known).then_some("Use a type of your own instead of a descriptor's.");
    }
    // Bodies that are not JSON: the platform has the type.
    if name == "google.api.HttpBody" {
        return None;
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
