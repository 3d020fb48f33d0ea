//! Strings and their escapes.

use std::borrow::Cow;

use super::Reader;
use crate::Error;
use crate::scan::plain_run;

impl<'a> Reader<'a> {
    /// Reads a string; borrowed from the text unless it has escapes.
    ///
    /// # Errors
    /// When no string is next, or it is malformed.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            _ => Err(self.expected("a string")),
        }
    }

    /// Reads a string by its form, if it has that form as it stands in the text, without
    /// an escape; otherwise takes nothing.
    #[inline]
    pub(crate) fn plain_string<T>(
        &mut self,
        parse: impl FnOnce(&'a [u8]) -> Option<(T, &'a [u8])>,
    ) -> Option<T> {
        self.peek();
        let [b'"', text @ ..] = self.text.as_bytes().get(self.at..)? else { return None };
        let (value, [b'"', rest @ ..]) = parse(text)? else { return None };
        self.at = self.text.len() - rest.len();
        Some(value)
    }

    /// The string whose quote is next.
    #[inline]
    pub(super) fn quoted(&mut self) -> Result<Cow<'a, str>, Error> {
        let start = self.at + 1;
        let end = plain_run(self.text.as_bytes(), start);
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(self.slice(start, end)));
        }
        self.escaped(start, end).map(Cow::Owned)
    }

    /// The string that began at `start` and is plain up to `end`.
    #[inline(never)]
    fn escaped(&mut self, start: usize, end: usize) -> Result<String, Error> {
        let mut output = String::with_capacity(2 * (end - start) + 16);
        output.push_str(self.slice(start, end));
        self.at = end;
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(output);
                }
                Some(b'\\') => output.push(self.escape()?),
                Some(_) => return Err(self.syntax("a control character in a string")),
                None => return Err(self.syntax("a string without an end")),
            }
            let from = self.at;
            self.at = plain_run(self.text.as_bytes(), from);
            output.push_str(self.slice(from, self.at));
        }
    }

    /// The character of the escape whose backslash is next.
    fn escape(&mut self) -> Result<char, Error> {
        let start = self.at;
        self.at += 2;
        Ok(match self.text.as_bytes().get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => return Err(Error::syntax("an escape that JSON does not have", start)),
        })
    }

    /// The character of a `\u` escape that began at `start`, surrogate pairs included.
    fn unicode(&mut self, start: usize) -> Result<char, Error> {
        let first = self.four_digits(start)?;
        let code = if (0xd800..0xdc00).contains(&first) {
            let pair = || Error::syntax("half of a surrogate pair", start);
            if !self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u")) {
                return Err(pair());
            }
            self.at += 2;
            let second = self.four_digits(start)?;
            let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or_else(pair)?;
            0x1_0000 + ((first - 0xd800) << 10) + low
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| Error::syntax("half of a surrogate pair", start))
    }

    fn four_digits(&mut self, start: usize) -> Result<u32, Error> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        let mut code = 0;
        for digit in digits {
            let value = char::from(*digit).to_digit(16);
            code = code << 4 | value.unwrap_or(u32::MAX >> 4);
        }
        self.at += 4;
        let is_hex = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
        is_hex.then_some(code).ok_or_else(|| Error::syntax("an escape without four digits", start))
    }
}
