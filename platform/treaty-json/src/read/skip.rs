//! Values that nobody asked for: checked to be JSON, and passed over.

use super::Reader;
use crate::Error;

impl Reader<'_> {
    /// Passes over one value of any kind.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn skip(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b'{') => self.entries("an object", &mut |reader, _name| reader.skip()),
            Some(b'[') => self.elements("a list", &mut |reader, _index| reader.skip()),
            Some(b'"') => self.quoted().map(drop),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ => Err(self.syntax("expected a value")),
        }
    }
}
