//! Where everything that has a name is declared, for reports about contracts that are not
//! mistaken in themselves.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, FileDescriptor, MessageDescriptor};

use super::options::{DEPLOYABLE, DeployableRule, STREAM, StreamRule, extension};
use super::source::span;
use crate::load::Contracts;

/// A place in a contract; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// File as imported, for example `acme/orders/v1/orders.proto`.
    pub file: String,
    /// Line; 0 when the descriptors carry no positions.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// The places of all elements of some contracts.
///
/// An element is named by its full name in protobuf; a field and an enum's value by that of what
/// holds it, a dot and its own; a stream as `stream:NAME`, a deployable as `deployable:NAME`.
#[derive(Clone, Debug, Default)]
pub struct Places {
    elements: BTreeMap<String, (Place, (usize, usize))>,
}

impl Places {
    /// Finds the place of every element.
    #[must_use]
    pub fn of(contracts: &Contracts) -> Self {
        let mut places = Self::default();
        for file in contracts.pool.files() {
            if contracts.roots.contains(file.name()) {
                places.add_file(&contracts.pool, &file);
            }
        }
        places
    }

    /// The place of an element, or of the nearest one that holds it.
    #[must_use]
    pub fn nearest(&self, element: &str) -> Option<&Place> {
        let mut name = element;
        loop {
            if let Some((place, _)) = self.elements.get(name) {
                return Some(place);
            }
            name = name.rsplit_once(['.', '/'])?.0;
        }
    }

    /// Whether there is such an element.
    #[must_use]
    pub fn holds(&self, element: &str) -> bool {
        self.elements.contains_key(element)
    }

    /// The innermost element around a position.
    #[must_use]
    pub fn around(&self, file: &str, line: usize, column: usize) -> Option<&str> {
        let position = (line, column);
        let around = self.elements.iter().filter(|(_, (place, end))| {
            place.file == file && (place.line, place.column) <= position && position <= *end
        });
        // Of elements that all hold one position, the one that begins last is the innermost.
        let innermost = around.max_by_key(|(_, (place, _))| (place.line, place.column));
        innermost.map(|(name, _)| name.as_str())
    }

    fn add(&mut self, file: &FileDescriptor, name: String, path: &[i32]) {
        let (start, end) = span(file, path);
        let place = Place { file: file.name().to_owned(), line: start.0, column: start.1 };
        self.elements.insert(name, (place, end));
    }

    fn add_file(&mut self, pool: &DescriptorPool, file: &FileDescriptor) {
        for message in file.messages() {
            self.add_message(file, &message);
        }
        for enumeration in file.enums() {
            self.add_enum(file, &enumeration);
        }
        for service in file.services() {
            self.add(file, service.full_name().to_owned(), service.path());
            for method in service.methods() {
                self.add(file, method.full_name().to_owned(), method.path());
            }
        }
        // Options that cannot be read are told by `lower`.
        if let Ok(Some(rule)) = extension::<DeployableRule>(pool, &file.options(), DEPLOYABLE) {
            self.add(file, format!("deployable:{}", rule.name), &DEPLOYABLE.on(&[]));
        }
        let streams = extension::<Vec<StreamRule>>(pool, &file.options(), STREAM);
        for (index, rule) in streams.ok().flatten().unwrap_or_default().iter().enumerate() {
            let mut path = STREAM.on(&[]);
            path.extend(i32::try_from(index));
            self.add(file, format!("stream:{}", rule.name), &path);
        }
    }

    fn add_message(&mut self, file: &FileDescriptor, message: &MessageDescriptor) {
        if message.is_map_entry() {
            return;
        }
        self.add(file, message.full_name().to_owned(), message.path());
        for field in message.fields() {
            self.add(file, field.full_name().to_owned(), field.path());
        }
        for child in message.child_messages() {
            self.add_message(file, &child);
        }
        for child in message.child_enums() {
            self.add_enum(file, &child);
        }
    }

    fn add_enum(&mut self, file: &FileDescriptor, enumeration: &prost_reflect::EnumDescriptor) {
        self.add(file, enumeration.full_name().to_owned(), enumeration.path());
        for value in enumeration.values() {
            // protobuf's own full name of a value lacks its enum's.
            let name = format!("{}.{}", enumeration.full_name(), value.name());
            self.add(file, name, value.path());
        }
    }
}
