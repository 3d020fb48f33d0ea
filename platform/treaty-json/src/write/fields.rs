//! Fields by their presence.

use std::collections::BTreeMap;

use super::Writer;
use crate::error::Segment;
use crate::{Enum, EnumSchema, Field, Json, MapKey, Scalar};

impl Writer<'_> {
    /// A field that is always there: a required one, or that of a oneof which is set.
    pub fn required<T: Json>(&mut self, field: &'static Field, value: &T) {
        if self.has_failed() {
            return;
        }
        self.key(field);
        value.write_json(self);
        if self.has_failed() {
            self.locate(Segment::Field(field.json));
        }
    }

    /// A field without presence.
    #[inline]
    pub fn implicit<T: Scalar>(&mut self, field: &'static Field, value: &T) {
        if !value.is_default() || self.options.defaults {
            self.required(field, value);
        }
    }

    /// A field with presence.
    #[inline]
    pub fn optional<T: Json>(&mut self, field: &'static Field, value: &Option<T>) {
        if let Some(value) = value {
            self.required(field, value);
        }
    }

    /// A list.
    #[inline]
    pub fn repeated<T: Json>(&mut self, field: &'static Field, values: &[T]) {
        if self.begins(field, values.is_empty()) {
            self.list(values);
            self.ends(field);
        }
    }

    /// A map.
    #[inline]
    pub fn map<K: MapKey, V: Json>(&mut self, field: &'static Field, map: &BTreeMap<K, V>) {
        if self.begins(field, map.is_empty()) {
            self.entries(map);
            self.ends(field);
        }
    }

    /// An enum that is always there.
    pub fn required_enum<E: Enum>(&mut self, field: &'static Field, number: i32) {
        self.key(field);
        self.enumeration(E::SCHEMA, number);
    }

    /// An enum without presence.
    pub fn implicit_enum<E: Enum>(&mut self, field: &'static Field, number: i32) {
        if number != 0 || self.options.defaults {
            self.required_enum::<E>(field, number);
        }
    }

    /// An enum with presence.
    pub fn optional_enum<E: Enum>(&mut self, field: &'static Field, number: Option<i32>) {
        if let Some(number) = number {
            self.required_enum::<E>(field, number);
        }
    }

    /// A list of enums.
    pub fn repeated_enum<E: Enum>(&mut self, field: &'static Field, numbers: &[i32]) {
        if self.begins(field, numbers.is_empty()) {
            self.enum_list(E::SCHEMA, numbers);
        }
    }

    /// A map to enums.
    pub fn map_enum<E: Enum, K: MapKey>(&mut self, field: &'static Field, map: &BTreeMap<K, i32>) {
        if self.begins(field, map.is_empty()) {
            self.enum_entries(E::SCHEMA, map);
        }
    }

    /// Writes the name of a list or map, unless there is nothing to write.
    fn begins(&mut self, field: &'static Field, is_empty: bool) -> bool {
        if (is_empty && !self.options.defaults) || self.has_failed() {
            return false;
        }
        self.key(field);
        true
    }

    fn ends(&mut self, field: &'static Field) {
        if self.has_failed() {
            self.locate(Segment::Field(field.json));
        }
    }

    /// Writes an enum by its name, or by its number when it has none.
    pub fn enumeration(&mut self, schema: &'static EnumSchema, number: i32) {
        match schema.name(number) {
            Some(_) if schema.null => self.raw("null"),
            Some(name) if !self.options.enum_numbers => self.quoted(name),
            _ => self.bare(number),
        }
    }

    /// Writes a list.
    pub fn list<T: Json>(&mut self, values: &[T]) {
        let start = self.position();
        for (index, value) in values.iter().enumerate() {
            self.raw(",");
            value.write_json(self);
            if self.has_failed() {
                return self.locate(Segment::Index(index));
            }
        }
        self.close(start, b'[', b']');
    }

    /// Writes a list of enums.
    pub fn enum_list(&mut self, schema: &'static EnumSchema, numbers: &[i32]) {
        let start = self.position();
        for number in numbers {
            self.raw(",");
            self.enumeration(schema, *number);
        }
        self.close(start, b'[', b']');
    }

    /// Writes a map as an object, in the order of its keys.
    pub fn entries<K: MapKey, V: Json>(&mut self, map: &BTreeMap<K, V>) {
        let start = self.position();
        for (key, value) in map {
            let name = self.entry(key);
            value.write_json(self);
            if self.has_failed() {
                return self.locate_entry(name);
            }
        }
        self.close(start, b'{', b'}');
    }

    /// Writes a map to enums as an object.
    pub fn enum_entries<K: MapKey>(&mut self, schema: &'static EnumSchema, map: &BTreeMap<K, i32>) {
        let start = self.position();
        for (key, number) in map {
            self.entry(key);
            self.enumeration(schema, *number);
        }
        self.close(start, b'{', b'}');
    }

    /// Writes a key, and says where it stands.
    fn entry(&mut self, key: &impl MapKey) -> std::ops::Range<usize> {
        self.raw(",");
        let start = self.position();
        key.write(self);
        let end = self.position();
        self.raw(":");
        start..end
    }

    #[cold]
    fn locate_entry(&mut self, name: std::ops::Range<usize>) {
        let written = self.buffer.get(name).unwrap_or_default();
        let name = String::from_utf8_lossy(written);
        self.locate(Segment::key(name.trim_matches('"')));
    }
}
