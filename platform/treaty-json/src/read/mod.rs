//! Reading: a pull reader over bytes, without a tree in between.

mod fields;
mod number;
mod object;
mod skip;
mod string;

pub(crate) use number::{Integer, number_end};
pub(crate) use object::{Sought, TYPE_NAME, duplicate};

use std::fmt::Write as _;

use crate::{Error, Json, ReadOptions};

/// Reads JSON from a text. Generated code and [`Json`] implementations pull values out
/// of it.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    /// The byte to be looked at next.
    at: usize,
    /// How many objects and lists may still be opened.
    depth: u32,
    options: ReadOptions<'a>,
    /// The text is a value of a query or a path: what JSON wants bare may be quoted, and
    /// one value stands for a list of one.
    textual: bool,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning of a text.
    #[must_use]
    pub fn new(text: &'a str, options: &ReadOptions<'a>) -> Self {
        Self { text, at: 0, depth: options.max_depth, options: *options, textual: false }
    }

    /// The same for bytes.
    ///
    /// # Errors
    /// When they are not UTF-8.
    pub fn from_bytes(bytes: &'a [u8], options: &ReadOptions<'a>) -> Result<Self, Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(text, options)),
            Err(error) => Err(Error::syntax("the text is not UTF-8", error.valid_up_to())),
        }
    }

    pub(crate) fn textual(text: &'a str, options: &ReadOptions<'a>) -> Self {
        Self { textual: true, ..Self::new(text, options) }
    }

    /// Reads one value, which must be all that there is.
    ///
    /// # Errors
    /// When it is not JSON of this type.
    pub fn whole<T: Json>(mut self, into: &mut T) -> Result<(), Error> {
        into.read_json(&mut self)?;
        self.end()
    }

    /// Sees that nothing but white space is left.
    ///
    /// # Errors
    /// When something is.
    pub fn end(&mut self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.syntax("expected the end of the text")),
        }
    }

    /// What was asked for.
    #[must_use]
    pub fn options(&self) -> &ReadOptions<'a> {
        &self.options
    }

    /// The next byte that is not white space, not taken.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Takes this byte if it is the next one.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes a literal name, such as `null`.
    fn literal(&mut self, name: &str) -> Result<(), Error> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(name.as_bytes()) {
            return Err(self.syntax("expected a value"));
        }
        self.at += name.len();
        Ok(())
    }

    /// Takes `true` or `false`.
    pub(crate) fn bare_boolean(&mut self) -> Result<bool, Error> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            _ => Err(self.expected("true or false")),
        }
    }

    /// Takes `null` if it is next.
    #[inline]
    pub(crate) fn null(&mut self) -> Result<bool, Error> {
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        self.literal("null").map(|()| true)
    }

    /// Opens an object or a list.
    fn enter(&mut self, bracket: u8, expected: &str) -> Result<(), Error> {
        if !self.take(bracket) {
            return Err(self.expected(expected));
        }
        match self.depth.checked_sub(1) {
            Some(depth) => {
                self.depth = depth;
                Ok(())
            }
            None => {
                let limit = self.options.max_depth;
                Err(Error::data(format!("nested deeper than {limit} levels"), self.at - 1))
            }
        }
    }

    /// What is between two bytes; both are at the boundary of a character.
    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    #[cold]
    fn syntax(&self, description: &str) -> Error {
        if self.at >= self.text.len() {
            return Error::syntax("the text ends too early", self.text.len());
        }
        Error::syntax(description, self.at)
    }

    /// The failure of a value of another kind than this.
    #[cold]
    pub(crate) fn expected(&mut self, what: &str) -> Error {
        let found = match self.peek() {
            Some(b'"') => "a string",
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ => return self.syntax("expected a value"),
        };
        let mut text = String::new();
        let _ = write!(text, "expected {what}, found {found}");
        Error::data(text, self.at)
    }

    /// The failure of a value that began here.
    #[cold]
    pub(crate) fn wrong(&self, at: usize, description: impl Into<String>) -> Error {
        Error::data(description, at)
    }

    /// Where the next value begins.
    pub(crate) fn position(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The byte that the next value begins with.
    pub(crate) fn next_byte(&mut self) -> Option<u8> {
        self.peek()
    }

    /// The last byte that was taken.
    pub(crate) fn last(&self) -> usize {
        self.at.saturating_sub(1)
    }

    pub(crate) fn is_textual(&self) -> bool {
        self.textual
    }

    /// Where the value that was read last ended.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Whether the next value is an object.
    pub(crate) fn opens_object(&mut self) -> bool {
        self.peek() == Some(b'{')
    }

    /// Goes back to a place it has been at, at the same depth.
    pub(crate) fn rewind(&mut self, at: usize, depth: u32) {
        (self.at, self.depth) = (at, depth);
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }
}
