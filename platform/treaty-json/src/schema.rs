//! What generated code says about messages and enums, and the traits it implements.

use crate::{Error, Reader, Writer};

/// Something that has a JSON form of its own: a message, a scalar, a well-known type.
pub trait Json: Default {
    /// Whether `null` is a value of it rather than the absence of one.
    const ACCEPTS_NULL: bool = false;

    /// Writes it. A failure is kept by the writer, which tells it at the end.
    fn write_json(&self, writer: &mut Writer<'_>);

    /// Reads it. Fields that the text does not have keep their values.
    ///
    /// # Errors
    /// When the text is not JSON, or not of this type.
    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error>;
}

impl<T: Json> Json for Box<T> {
    const ACCEPTS_NULL: bool = T::ACCEPTS_NULL;

    fn write_json(&self, writer: &mut Writer<'_>) {
        T::write_json(self, writer);
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        T::read_json(self, reader)
    }
}

/// A message whose JSON is an object of its fields, which is every message but some of
/// the well-known ones. Generated code implements it; [`messages!`](crate::messages)
/// makes it [`Json`].
pub trait Fields {
    /// Its name and its fields.
    fn schema(&self) -> &'static Schema;

    /// Writes the fields that are set, in the contract's order.
    fn write_fields(&self, writer: &mut Writer<'_>);

    /// Reads the value of the field at this place of the schema.
    ///
    /// # Errors
    /// When the text is not JSON, or not of the field's type.
    fn read_field(&mut self, index: usize, reader: &mut Reader<'_>) -> Result<(), Error>;

    /// The message in a singular field that is itself an object of fields, made if it is
    /// not there. Paths of query parameters go through it.
    fn child(&mut self, index: usize) -> Option<&mut dyn Fields> {
        let _ = index;
        None
    }
}

impl<T: Fields + ?Sized> Fields for Box<T> {
    fn schema(&self) -> &'static Schema {
        T::schema(self)
    }

    fn write_fields(&self, writer: &mut Writer<'_>) {
        T::write_fields(self, writer);
    }

    fn read_field(&mut self, index: usize, reader: &mut Reader<'_>) -> Result<(), Error> {
        T::read_field(self, index, reader)
    }

    fn child(&mut self, index: usize) -> Option<&mut dyn Fields> {
        T::child(self, index)
    }
}

/// A message as its contract declares it.
#[derive(Debug)]
pub struct Schema {
    /// For example `stravasync.athletes.v1.Athlete`.
    pub full_name: &'static str,
    /// All fields, those of oneofs among them.
    pub fields: &'static [Field],
}

impl Schema {
    /// The place of a field by either of its names.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.is(name))
    }
}

/// A field as its contract declares it. [`field!`](crate::field) makes one.
#[derive(Debug)]
pub struct Field {
    /// Name in JSON, for example `athleteId`.
    pub json: &'static str,
    /// Name in the contract, for example `athlete_id`.
    pub name: &'static str,
    /// `,"athleteId":`, with what must be escaped.
    #[doc(hidden)]
    pub json_key: &'static str,
    /// `,"athlete_id":`.
    #[doc(hidden)]
    pub name_key: &'static str,
}

impl Field {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.json == name || self.name == name
    }
}

/// A [`Field`] by its names in JSON and in the contract, which may be one. A JSON name
/// with characters that JSON escapes is also given escaped.
#[macro_export]
macro_rules! field {
    ($name:literal) => {
        $crate::field!($name, $name)
    };
    ($json:literal, $name:literal) => {
        $crate::field!($json, $name, $json)
    };
    ($json:literal, $name:literal, $escaped:literal) => {
        $crate::Field {
            json: $json,
            name: $name,
            json_key: ::core::concat!(",\"", $escaped, "\":"),
            name_key: ::core::concat!(",\"", $name, "\":"),
        }
    };
}

/// Makes messages that implement [`Fields`] be [`Json`]: an object of their fields.
#[macro_export]
macro_rules! messages {
    ($($message:ty),* $(,)?) => {$(
        impl $crate::Json for $message {
            fn write_json(&self, writer: &mut $crate::Writer<'_>) {
                writer.object(self);
            }

            fn read_json(
                &mut self,
                reader: &mut $crate::Reader<'_>,
            ) -> ::core::result::Result<(), $crate::Error> {
                reader.object(self)
            }
        }
    )*};
}

/// An enum of the contract. prost keeps its values as `i32`, so that numbers which are
/// not known survive.
pub trait Enum {
    /// Its name and its values.
    const SCHEMA: &'static EnumSchema;
}

/// An enum as its contract declares it.
#[derive(Debug)]
pub struct EnumSchema {
    /// For example `stravasync.sync.v1.SyncReason`.
    pub full_name: &'static str,
    /// Names and numbers in the contract's order. Of several names for a number the
    /// first one is written, and all are read.
    pub values: &'static [(&'static str, i32)],
    /// Whether numbers without a name are refused (proto2, or `enum_type = CLOSED`).
    pub closed: bool,
    /// Whether it is `google.protobuf.NullValue`, whose JSON is `null`.
    #[doc(hidden)]
    pub null: bool,
}

impl EnumSchema {
    /// An enum whose numbers may be others than its names have.
    #[must_use]
    pub const fn open(full_name: &'static str, values: &'static [(&'static str, i32)]) -> Self {
        Self { full_name, values, closed: false, null: false }
    }

    /// An enum that has no other numbers.
    #[must_use]
    pub const fn closed(full_name: &'static str, values: &'static [(&'static str, i32)]) -> Self {
        Self { full_name, values, closed: true, null: false }
    }

    /// The number of a name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i32> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }

    /// The name of a number.
    #[must_use]
    pub fn name(&self, number: i32) -> Option<&'static str> {
        self.values.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
    }
}
