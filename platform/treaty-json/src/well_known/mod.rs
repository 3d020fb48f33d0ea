//! The well-known types whose JSON is not an object of their fields.

mod any;
mod calendar;
mod duration;
mod field_mask;
mod fraction;
mod structure;
mod timestamp;

pub(crate) use any::AnyCodec;

use crate::{Enum, EnumSchema, Error, Fields, Reader, Schema, Writer};

impl Enum for prost_types::NullValue {
    const SCHEMA: &'static EnumSchema = &EnumSchema {
        full_name: "google.protobuf.NullValue",
        values: &[("NULL_VALUE", 0)],
        closed: false,
        null: true,
    };
}

/// `google.protobuf.Empty`, which prost makes a `()`.
impl Fields for () {
    fn schema(&self) -> &'static Schema {
        &Schema { full_name: "google.protobuf.Empty", fields: &[] }
    }

    fn write_fields(&self, _writer: &mut Writer<'_>) {}

    fn read_field(&mut self, _index: usize, _reader: &mut Reader<'_>) -> Result<(), Error> {
        Ok(())
    }
}

crate::messages!(());
