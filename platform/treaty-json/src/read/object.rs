//! Objects and lists: the walk through members and elements, and names to fields.

use std::borrow::Cow;

use super::Reader;
use crate::error::Segment;
use crate::scan::starts_with;
use crate::{Error, Field, Fields, Unknown};

/// The name in an `Any` that says what it holds.
pub(crate) const TYPE_NAME: &str = "@type";

/// What a look for the text of a member found.
pub(crate) enum Sought<'a> {
    Text(Cow<'a, str>),
    Missing,
    /// There is no member at all.
    Empty,
}

/// Which fields of a message have been read.
struct Seen {
    words: [u64; 4],
    /// For the rare message with more fields than the words have bits.
    more: Vec<bool>,
}

impl Seen {
    /// Marks a field; false when it was marked before.
    fn mark(&mut self, index: usize) -> bool {
        let bit = 1_u64 << (index % 64);
        if let Some(word) = self.words.get_mut(index / 64) {
            let is_new = *word & bit == 0;
            *word |= bit;
            return is_new;
        }
        if self.more.len() <= index {
            self.more.resize(index + 1, false);
        }
        self.more.get_mut(index).is_some_and(|seen| !std::mem::replace(seen, true))
    }
}

/// What is done with a member of an object that has no fixed fields.
type Each<'f, 'a> = dyn FnMut(&mut Reader<'a>, Cow<'a, str>) -> Result<(), Error> + 'f;

impl<'a> Reader<'a> {
    /// Reads an object into the fields of a message.
    ///
    /// # Errors
    /// When it is no such object.
    pub fn object(&mut self, message: &mut dyn Fields) -> Result<(), Error> {
        self.fields(message, false)
    }

    /// The same inside of an `Any`, where `@type` stands among the fields.
    pub(crate) fn fields(&mut self, message: &mut dyn Fields, in_any: bool) -> Result<(), Error> {
        let fields = message.schema().fields;
        let mut seen = Seen { words: [0; 4], more: Vec::new() };
        let mut types = 0;
        // Writers keep to the contract's order, so the next field is likely the next.
        let mut next = 0;
        let mut goes_on = self.open_object("an object")?;
        while goes_on {
            let mut start = self.at;
            let mut field = self.field(fields, next, in_any, &mut types)?;
            while let Some(index) = field {
                if !seen.mark(index) {
                    return Err(duplicate(start).within(segment(fields, index)));
                }
                if let Err(error) = message.read_field(index, self) {
                    return Err(error.within(segment(fields, index)));
                }
                next = index + 1;
                start = self.at + 1;
                field = self.take_key(fields, next, 0);
            }
            goes_on = self.next_member()?;
        }
        Ok(())
    }

    /// Takes the name that is next, and its colon: that of a field, of which the one at
    /// `next` is tried first. Deals with a name that is none.
    fn field(
        &mut self,
        fields: &'static [Field],
        next: usize,
        in_any: bool,
        types: &mut u32,
    ) -> Result<Option<usize>, Error> {
        if let Some(index) = self.take_key(fields, next, 1) {
            return Ok(Some(index));
        }
        let start = self.at;
        let name = self.quoted()?;
        let index = find(fields, &name, next);
        self.colon()?;
        if index.is_none() {
            *types += u32::from(in_any && name == TYPE_NAME);
            self.stranger(&name, start, in_any, *types)?;
        }
        Ok(index)
    }

    /// Takes the name of the field at this place with its colon, when they are what
    /// follows: at one go, for most texts are of this order and without spaces. A comma
    /// is before it, unless so many bytes of the key are left out.
    #[inline]
    fn take_key(&mut self, fields: &'static [Field], index: usize, from: usize) -> Option<usize> {
        let key = fields.get(index)?.json_key.as_bytes().get(from..)?;
        let is_next = starts_with(self.text.as_bytes().get(self.at..)?, key);
        self.at += if is_next { key.len() } else { 0 };
        is_next.then_some(index)
    }

    #[cold]
    fn stranger(&mut self, name: &str, at: usize, in_any: bool, types: u32) -> Result<(), Error> {
        let located = |error: Error| error.within(Segment::name(name));
        if in_any && name == TYPE_NAME {
            if types > 1 {
                return Err(located(duplicate(at)));
            }
            return self.skip();
        }
        match self.options.unknown {
            Unknown::Ignore => self.skip(),
            Unknown::Refuse => Err(located(Error::data("unknown field", at))),
        }
    }

    /// Reads an object by its names, for types that have no fixed fields.
    pub(crate) fn entries(&mut self, expected: &str, each: &mut Each<'_, 'a>) -> Result<(), Error> {
        let mut goes_on = self.open_object(expected)?;
        while goes_on {
            let name = self.quoted()?;
            self.colon()?;
            let key = name.clone();
            if let Err(error) = each(self, name) {
                return Err(error.within(Segment::key(&key)));
            }
            goes_on = self.next_member()?;
        }
        Ok(())
    }

    /// Looks through an object for the text of one member, and stops behind it.
    pub(crate) fn seek(&mut self, wanted: &str) -> Result<Sought<'a>, Error> {
        if !self.open_object("an object")? {
            return Ok(Sought::Empty);
        }
        loop {
            let name = self.quoted()?;
            self.colon()?;
            let located = |error: Error| error.within(Segment::name(&name));
            if name == wanted {
                return self.string().map(Sought::Text).map_err(located);
            }
            self.skip().map_err(located)?;
            if !self.next_member()? {
                return Ok(Sought::Missing);
            }
        }
    }

    /// Reads the elements of a list.
    pub(crate) fn elements(
        &mut self,
        expected: &str,
        each: &mut dyn FnMut(&mut Self, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.enter(b'[', expected)?;
        if self.take(b']') {
            self.depth += 1;
            return Ok(());
        }
        let mut index = 0;
        loop {
            if let Err(error) = each(self, index) {
                return Err(error.within(Segment::Index(index)));
            }
            index += 1;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    self.depth += 1;
                    return Ok(());
                }
                _ => return Err(self.syntax("expected `,` or `]`")),
            }
        }
    }

    /// Whether there is a first name, which is then next.
    fn open_object(&mut self, expected: &str) -> Result<bool, Error> {
        self.enter(b'{', expected)?;
        match self.peek() {
            Some(b'"') => Ok(true),
            Some(b'}') => {
                self.at += 1;
                self.depth += 1;
                Ok(false)
            }
            _ => Err(self.syntax("expected a name in quotes or `}`")),
        }
    }

    /// Whether another name follows, which is then next.
    #[inline]
    fn next_member(&mut self) -> Result<bool, Error> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                match self.peek() {
                    Some(b'"') => Ok(true),
                    _ => Err(self.syntax("expected a name in quotes")),
                }
            }
            Some(b'}') => {
                self.at += 1;
                self.depth += 1;
                Ok(false)
            }
            _ => Err(self.syntax("expected `,` or `}`")),
        }
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Error> {
        if self.take(b':') { Ok(()) } else { Err(self.syntax("expected `:`")) }
    }
}

/// The place of the field of this name, looked for from where it is most likely.
fn find(fields: &[Field], name: &str, next: usize) -> Option<usize> {
    let (before, after) = fields.split_at_checked(next)?;
    let place = |part: &[Field]| part.iter().position(|field| field.is(name));
    place(after).map(|index| index + next).or_else(|| place(before))
}

fn segment(fields: &'static [Field], index: usize) -> Segment {
    Segment::Field(fields.get(index).map_or("", |field| field.json))
}

#[cold]
pub(crate) fn duplicate(at: usize) -> Error {
    Error::data("stands here a second time", at)
}
