//! Writing: straight into a buffer of bytes.

mod fields;

use crate::error::Segment;
use crate::scan::plain_run;
use crate::{Error, Field, Fields, Json, WriteOptions};

/// Writes JSON into a buffer. Generated code and [`Json`] implementations push values
/// into it.
///
/// What it writes is within an object, a list or nothing else by turns: members and
/// elements begin with a comma, and the first comma becomes the bracket.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: Vec<u8>,
    options: WriteOptions<'a>,
    failure: Option<Error>,
    /// How many messages are being written, one within the other.
    depth: u32,
}

/// Messages within messages, below which no `Any` is looked into. Of a message that was
/// received, prost bounds the nesting, but what an `Any` holds is bytes to it.
const MAX_DEPTH: u32 = 100;

impl<'a> Writer<'a> {
    /// A writer that appends to a buffer.
    #[must_use]
    pub fn new(buffer: Vec<u8>, options: &WriteOptions<'a>) -> Self {
        Self { buffer, options: *options, failure: None, depth: 0 }
    }

    /// What was written.
    ///
    /// # Errors
    /// When a value has no JSON form, such as a timestamp in the year 10000. The buffer
    /// is then of no use.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        match self.failure {
            None => Ok(self.buffer),
            Some(error) => Err(error),
        }
    }

    /// What was asked for.
    #[must_use]
    pub fn options(&self) -> &WriteOptions<'a> {
        &self.options
    }

    /// Says that a value has no JSON form.
    #[cold]
    pub fn fail(&mut self, description: impl Into<String>) {
        if self.failure.is_none() {
            self.failure = Some(Error::message(description));
        }
    }

    /// Writes a message as an object.
    pub fn object(&mut self, message: &dyn Fields) {
        let start = self.buffer.len();
        self.depth += 1;
        message.write_fields(self);
        self.depth -= 1;
        self.close(start, b'{', b'}');
    }

    /// Writes what is within an `Any`, unless it is too deep.
    pub(crate) fn deeper(&mut self, write: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_DEPTH {
            return self.fail(format!("an Any nested deeper than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    /// Ends an object or a list that began at `start`.
    pub(crate) fn close(&mut self, start: usize, open: u8, close: u8) {
        match self.buffer.get_mut(start) {
            Some(comma) => *comma = open,
            None => self.buffer.push(open),
        }
        self.buffer.push(close);
    }

    pub(crate) fn position(&self) -> usize {
        self.buffer.len()
    }

    /// Writes text that is JSON already.
    #[inline]
    pub(crate) fn raw(&mut self, json: &str) {
        self.buffer.extend_from_slice(json.as_bytes());
    }

    /// Writes ASCII that is JSON already.
    #[inline]
    pub(crate) fn bytes(&mut self, json: &[u8]) {
        self.buffer.extend_from_slice(json);
    }

    /// Writes text that needs quotes and no escapes.
    pub(crate) fn quoted(&mut self, text: &str) {
        self.buffer.reserve(text.len() + 2);
        self.buffer.push(b'"');
        self.raw(text);
        self.buffer.push(b'"');
    }

    #[inline]
    pub(crate) fn bare(&mut self, integer: impl itoa::Integer) {
        self.raw(itoa::Buffer::new().format(integer));
    }

    #[inline]
    pub(crate) fn in_quotes(&mut self, integer: impl itoa::Integer) {
        self.quoted(itoa::Buffer::new().format(integer));
    }

    /// Writes a string with its quotes.
    pub fn string(&mut self, text: &str) {
        let bytes = text.as_bytes();
        self.buffer.reserve(bytes.len() + 2);
        self.buffer.push(b'"');
        let end = plain_run(bytes, 0);
        if end == bytes.len() {
            self.buffer.extend_from_slice(bytes);
        } else {
            self.escaped(bytes, end);
        }
        self.buffer.push(b'"');
    }

    /// Writes bytes of which those before `special` need no escape.
    fn escaped(&mut self, bytes: &[u8], mut special: usize) {
        let mut start = 0;
        loop {
            self.buffer.extend_from_slice(bytes.get(start..special).unwrap_or_default());
            let Some(byte) = bytes.get(special) else { return };
            match byte {
                b'"' => self.raw("\\\""),
                b'\\' => self.raw("\\\\"),
                b'\n' => self.raw("\\n"),
                b'\r' => self.raw("\\r"),
                b'\t' => self.raw("\\t"),
                0x08 => self.raw("\\b"),
                0x0c => self.raw("\\f"),
                control => {
                    let digit =
                        |value: u8| if value < 10 { b'0' + value } else { b'a' - 10 + value };
                    let digits = [digit(control >> 4), digit(control & 0xf)];
                    self.raw("\\u00");
                    self.buffer.extend_from_slice(&digits);
                }
            }
            start = special + 1;
            special = plain_run(bytes, start);
        }
    }

    /// Writes a comma, and the name of a field.
    #[inline]
    fn key(&mut self, field: &Field) {
        let key = if self.options.proto_names { field.name_key } else { field.json_key };
        self.raw(key);
    }

    /// Writes a member of an object with fixed names.
    pub(crate) fn member(&mut self, name: &str, value: &impl Json) {
        self.buffer.push(b',');
        self.quoted(name);
        self.buffer.push(b':');
        value.write_json(self);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Says of a failure that it is within this.
    #[cold]
    fn locate(&mut self, segment: Segment) {
        self.failure = self.failure.take().map(|error| error.within(segment));
    }
}
