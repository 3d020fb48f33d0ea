//! Fields by their presence. `null` means that a field is not there, unless its type
//! has `null` among its values.

use std::collections::BTreeMap;

use super::Reader;
use super::object::duplicate;
use crate::error::shown;
use crate::{Enum, EnumSchema, Error, Json, MapKey, Unknown};

impl Reader<'_> {
    /// A field without presence, or a required one.
    ///
    /// # Errors
    /// Those of the value.
    pub fn implicit<T: Json>(&mut self, field: &mut T) -> Result<(), Error> {
        if !T::ACCEPTS_NULL && self.null()? {
            *field = T::default();
            return Ok(());
        }
        field.read_json(self)
    }

    /// A field with presence.
    ///
    /// # Errors
    /// Those of the value.
    pub fn optional<T: Json>(&mut self, field: &mut Option<T>) -> Result<(), Error> {
        if !T::ACCEPTS_NULL && self.null()? {
            *field = None;
            return Ok(());
        }
        field.insert(T::default()).read_json(self)
    }

    /// A field of a oneof.
    ///
    /// # Errors
    /// Those of the value, and when another field of the oneof was there.
    pub fn oneof<T: Json, O>(
        &mut self,
        oneof: &mut Option<O>,
        variant: fn(T) -> O,
    ) -> Result<(), Error> {
        if !T::ACCEPTS_NULL && self.null()? {
            return Ok(());
        }
        self.only_one(oneof.is_some())?;
        let mut value = T::default();
        value.read_json(self)?;
        *oneof = Some(variant(value));
        Ok(())
    }

    fn only_one(&mut self, is_set: bool) -> Result<(), Error> {
        if is_set {
            let at = self.position();
            return Err(self.wrong(at, "another field of its oneof is set too"));
        }
        Ok(())
    }

    /// A list.
    ///
    /// # Errors
    /// Those of the elements.
    pub fn repeated<T: Json>(&mut self, list: &mut Vec<T>) -> Result<(), Error> {
        if self.is_bare_element() {
            return element(self, list);
        }
        list.clear();
        if self.null()? {
            return Ok(());
        }
        self.elements("a list", &mut |reader, _| element(reader, list))
    }

    /// Whether one value stands for a list of one, as in a query.
    fn is_bare_element(&mut self) -> bool {
        self.textual && self.peek() != Some(b'[')
    }

    /// A map. Its names are its keys.
    ///
    /// # Errors
    /// Those of keys and values, and when a key is there twice.
    pub fn map<K: MapKey, V: Json>(&mut self, map: &mut BTreeMap<K, V>) -> Result<(), Error> {
        map.clear();
        if self.null()? {
            return Ok(());
        }
        self.entries("an object", &mut |reader, name| {
            let at = reader.position();
            let key = K::parse(&name).map_err(|why| reader.wrong(at, why))?;
            let mut value = V::default();
            value.read_json(reader)?;
            map.insert(key, value).map_or(Ok(()), |_| Err(duplicate(at)))
        })
    }

    /// An enum without presence, or a required one.
    ///
    /// # Errors
    /// When the value is none of the enum's.
    pub fn implicit_enum<E: Enum>(&mut self, field: &mut i32) -> Result<(), Error> {
        *field = self.enum_or_null(E::SCHEMA)?.unwrap_or(0);
        Ok(())
    }

    /// An enum with presence.
    ///
    /// # Errors
    /// When the value is none of the enum's.
    pub fn optional_enum<E: Enum>(&mut self, field: &mut Option<i32>) -> Result<(), Error> {
        *field = self.enum_or_null(E::SCHEMA)?;
        Ok(())
    }

    /// An enum in a oneof.
    ///
    /// # Errors
    /// When the value is none of the enum's, or another field of the oneof was there.
    pub fn oneof_enum<E: Enum, O>(
        &mut self,
        oneof: &mut Option<O>,
        variant: fn(i32) -> O,
    ) -> Result<(), Error> {
        if let Some(number) = self.enum_or_null(E::SCHEMA)? {
            self.only_one(oneof.is_some())?;
            *oneof = Some(variant(number));
        }
        Ok(())
    }

    /// A list of enums.
    ///
    /// # Errors
    /// When a value is none of the enum's.
    pub fn repeated_enum<E: Enum>(&mut self, list: &mut Vec<i32>) -> Result<(), Error> {
        if self.is_bare_element() {
            list.extend(self.enumeration(E::SCHEMA)?);
            return Ok(());
        }
        list.clear();
        if self.null()? {
            return Ok(());
        }
        self.elements("a list", &mut |reader, _| {
            list.extend(reader.enumeration(E::SCHEMA)?);
            Ok(())
        })
    }

    /// A map to enums.
    ///
    /// # Errors
    /// When a key is malformed or there twice, or a value is none of the enum's.
    pub fn map_enum<E: Enum, K: MapKey>(
        &mut self,
        map: &mut BTreeMap<K, i32>,
    ) -> Result<(), Error> {
        map.clear();
        if self.null()? {
            return Ok(());
        }
        self.entries("an object", &mut |reader, name| {
            let at = reader.position();
            let key = K::parse(&name).map_err(|why| reader.wrong(at, why))?;
            let Some(number) = reader.enumeration(E::SCHEMA)? else { return Ok(()) };
            map.insert(key, number).map_or(Ok(()), |_| Err(duplicate(at)))
        })
    }

    /// The number of an enum's value, or nothing for a field that is not there.
    fn enum_or_null(&mut self, schema: &'static EnumSchema) -> Result<Option<i32>, Error> {
        if !schema.null && self.null()? { Ok(None) } else { self.enumeration(schema) }
    }

    /// Reads an enum by name or number; nothing when the name is not known and is to be
    /// ignored.
    ///
    /// # Errors
    /// When the value is none of the enum's.
    pub fn enumeration(&mut self, schema: &'static EnumSchema) -> Result<Option<i32>, Error> {
        let at = self.position();
        match self.peek() {
            Some(b'"') => {
                let name = self.quoted()?;
                let number = schema.number(&name);
                if number.is_some() {
                    return Ok(number);
                }
                if self.textual
                    && let Ok(number) = name.parse()
                {
                    return self.known(schema, number, at);
                }
                self.unknown_value(
                    at,
                    format!("{} has no value {:?}", schema.full_name, shown(&name)),
                )
            }
            Some(b'-' | b'0'..=b'9') => match self.integer()?.narrow() {
                Some(number) => self.known(schema, number, at),
                None => Err(self.wrong(at, "the number is out of range")),
            },
            Some(b'n') if schema.null => self.null().map(|_| Some(0)),
            _ => Err(self.expected("the name or number of an enum value")),
        }
    }

    /// A number, unless the enum is closed and does not have it.
    fn known(
        &self,
        schema: &'static EnumSchema,
        number: i32,
        at: usize,
    ) -> Result<Option<i32>, Error> {
        if schema.closed && schema.name(number).is_none() {
            return self.unknown_value(at, format!("{} has no value {number}", schema.full_name));
        }
        Ok(Some(number))
    }

    fn unknown_value(&self, at: usize, description: String) -> Result<Option<i32>, Error> {
        match self.options.unknown {
            Unknown::Ignore => Ok(None),
            Unknown::Refuse => Err(self.wrong(at, description)),
        }
    }
}

fn element<T: Json>(reader: &mut Reader<'_>, list: &mut Vec<T>) -> Result<(), Error> {
    // In its place at once: messages are large to move.
    list.push(T::default());
    list.last_mut().map_or(Ok(()), |value| value.read_json(reader))
}
