//! `google.api.HttpBody`, whose content a gateway sends as it is. Where it stands inside
//! of another message, its JSON is that of any message.

use prost_types::Any;

use crate::{Error, Field, Fields, Reader, Schema, Writer, field};

/// A body of any type (`google/api/httpbody.proto`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct HttpBody {
    /// The `Content-Type`.
    #[prost(string, tag = "1")]
    pub content_type: String,
    /// The bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
    /// What else is known of it.
    #[prost(message, repeated, tag = "3")]
    pub extensions: Vec<Any>,
}

static FIELDS: [Field; 3] =
    [field!("contentType", "content_type"), field!("data"), field!("extensions")];

static SCHEMA: Schema = Schema { full_name: "google.api.HttpBody", fields: &FIELDS };

impl Fields for HttpBody {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn write_fields(&self, writer: &mut Writer<'_>) {
        writer.implicit(&FIELDS[0], &self.content_type);
        writer.implicit(&FIELDS[1], &self.data);
        writer.repeated(&FIELDS[2], &self.extensions);
    }

    fn read_field(&mut self, index: usize, reader: &mut Reader<'_>) -> Result<(), Error> {
        match index {
            0 => reader.implicit(&mut self.content_type),
            1 => reader.implicit(&mut self.data),
            _ => reader.repeated(&mut self.extensions),
        }
    }
}

crate::messages!(HttpBody);
