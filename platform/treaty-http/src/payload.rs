//! How a request's message is read, and how an answer's is written.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use treaty_error::Error;
use treaty_json::{Fields, Json, ReadOptions, WriteOptions, Writer};

use crate::read::{Media, Refusal, check_media, not_json};
use crate::{BodyMode, HttpBody};

/// Most answers fit without growing.
const CAPACITY: usize = 1024;

/// How the request of a route is read.
pub struct Input<Q> {
    /// The message by its fields, which path and query address.
    pub(crate) fields: Option<fn(&mut Q) -> &mut dyn Fields>,
    read: Read<Q>,
}

enum Read<Q> {
    /// JSON.
    Json(fn(&mut Q, &[u8], &ReadOptions<'_>) -> Result<(), treaty_json::Error>),
    /// The body as it is, with its type.
    Raw(fn(&mut Q) -> &mut HttpBody),
}

impl<Q> Clone for Input<Q> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q> Copy for Input<Q> {}

impl<Q> Clone for Read<Q> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q> Copy for Read<Q> {}

fn whole<Q: Json>(
    message: &mut Q,
    json: &[u8],
    options: &ReadOptions<'_>,
) -> Result<(), treaty_json::Error> {
    treaty_json::Reader::from_bytes(json, options)?.whole(message)
}

impl<Q: Json + Fields> Input<Q> {
    /// A message of fields.
    #[must_use]
    pub fn message() -> Self {
        Self { fields: Some(|message| message), read: Read::Json(whole) }
    }

    /// A message of which the body is the content of a `google.api.HttpBody`.
    #[must_use]
    pub fn raw(target: fn(&mut Q) -> &mut HttpBody) -> Self {
        Self { fields: Some(|message| message), read: Read::Raw(target) }
    }
}

impl<Q: Json> Input<Q> {
    /// A well-known type, whose JSON is not an object of its fields.
    #[must_use]
    pub fn value() -> Self {
        Self { fields: None, read: Read::Json(whole) }
    }
}

impl<Q: Default> Input<Q> {
    /// The message of a body. No body at all is the message with nothing set.
    pub(crate) fn read(
        &self,
        mode: BodyMode,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Q, Refusal> {
        let mut message = Q::default();
        match &self.read {
            Read::Raw(target) => {
                let media_type = headers.get(CONTENT_TYPE).map(|value| value.to_str());
                let target = target(&mut message);
                target.content_type = media_type.and_then(Result::ok).unwrap_or("").to_owned();
                target.data = body.into();
            }
            Read::Json(_) if body.is_empty() => {}
            Read::Json(read) => {
                check_media(headers, Media::Json)?;
                let options = ReadOptions::DEFAULT;
                match (mode, self.fields) {
                    (BodyMode::Field(name), Some(fields)) => {
                        let fields = fields(&mut message);
                        treaty_json::read_field(fields, name, &body, &options).map_err(not_json)?;
                    }
                    _ => read(&mut message, &body, &options).map_err(not_json)?,
                }
            }
        }
        Ok(message)
    }

    /// Whether the field at this path takes a list.
    pub(crate) fn takes_list(&self, path: &str) -> bool {
        self.fields.is_some_and(|fields| treaty_json::takes_list(fields(&mut Q::default()), path))
    }

    /// One message of a stream.
    pub(crate) fn read_line(&self, line: &[u8]) -> Result<Q, Error> {
        let mut message = Q::default();
        if let Read::Json(read) = &self.read {
            read(&mut message, line, &ReadOptions::DEFAULT).map_err(not_json)?;
        }
        Ok(message)
    }

    pub(crate) fn is_raw(&self) -> bool {
        matches!(self.read, Read::Raw(_))
    }

    /// One piece of a stream that is not JSON.
    pub(crate) fn read_piece(&self, headers: &HeaderMap, piece: Bytes) -> Option<Q> {
        let Read::Raw(target) = &self.read else { return None };
        let mut message = Q::default();
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let target = target(&mut message);
        target.content_type = media_type.unwrap_or("").to_owned();
        target.data = piece.into();
        Some(message)
    }
}

/// How the answer of a route is written.
pub struct Output<R> {
    write: Write<R>,
}

enum Write<R> {
    /// The whole message as JSON.
    Whole(fn(&R, Vec<u8>) -> Result<Vec<u8>, treaty_json::Error>),
    /// One field of it as JSON.
    Field(fn(&R) -> &dyn Fields, &'static str),
    /// The content of a `google.api.HttpBody` as it is.
    Raw(fn(R) -> HttpBody),
}

impl<R> Clone for Output<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Output<R> {}

impl<R> Clone for Write<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Write<R> {}

/// What an answer became.
pub(crate) enum Written {
    /// JSON.
    Json(Vec<u8>),
    /// Something else, of the type that it says.
    Raw(HttpBody),
}

impl<R: Json> Output<R> {
    /// The message.
    #[must_use]
    pub fn message() -> Self {
        Self {
            write: Write::Whole(|message, buffer| {
                let mut writer = Writer::new(buffer, &WriteOptions::DEFAULT);
                message.write_json(&mut writer);
                writer.finish()
            }),
        }
    }
}

impl<R: Fields> Output<R> {
    /// One field of the message, by its name in the contract.
    #[must_use]
    pub fn field(name: &'static str) -> Self {
        Self { write: Write::Field(|message| message, name) }
    }
}

impl<R> Output<R> {
    /// The content of a `google.api.HttpBody`.
    #[must_use]
    pub fn raw(content: fn(R) -> HttpBody) -> Self {
        Self { write: Write::Raw(content) }
    }

    pub(crate) fn is_raw(&self) -> bool {
        matches!(self.write, Write::Raw(_))
    }

    /// Writes an answer.
    pub(crate) fn write(&self, message: R) -> Result<Written, Error> {
        match &self.write {
            Write::Raw(content) => Ok(Written::Raw(content(message))),
            _ => self.append(&message, Vec::with_capacity(CAPACITY)).map(Written::Json),
        }
    }

    /// Appends the JSON of a message to a buffer.
    pub(crate) fn append(&self, message: &R, buffer: Vec<u8>) -> Result<Vec<u8>, Error> {
        let written = match &self.write {
            Write::Whole(write) => write(message, buffer),
            Write::Field(fields, name) => {
                treaty_json::write_field(fields(message), name, buffer, &WriteOptions::DEFAULT)
            }
            Write::Raw(_) => Ok(buffer),
        };
        written.map_err(Error::internal)
    }
}
