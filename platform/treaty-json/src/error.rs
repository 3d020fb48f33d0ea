//! What is wrong with a text or a message, and where.

use std::borrow::Cow;
use std::fmt;

/// Why a text is not the JSON of a message, or why a message has no JSON.
///
/// It shows as `athlete.emails[1]: expected a string, found a number (at byte 41)`.
/// Texts of callers are not repeated in it, but for names of fields, of enum values and of
/// types; and of these not more than the beginning, so that it fits into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    description: String,
    /// From the innermost outwards, as it is found while unwinding.
    path: Vec<Segment>,
    offset: Option<usize>,
}

/// What sort of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not JSON (RFC 8259).
    Syntax,
    /// The text is JSON, but not of this message.
    Data,
    /// The message holds a value that JSON has no form for.
    Message,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Field(&'static str),
    Name(String),
    Index(usize),
    Key(String),
}

/// How many characters of a name of a caller's are repeated.
const SHOWN: usize = 64;

/// A name of a caller's, short enough to be repeated.
pub(crate) fn shown(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(name.get(..end).unwrap_or_default().to_owned() + "…"),
        None => Cow::Borrowed(name),
    }
}

impl Segment {
    #[cold]
    pub(crate) fn name(name: &str) -> Self {
        Self::Name(shown(name).into_owned())
    }

    #[cold]
    pub(crate) fn key(key: &str) -> Self {
        Self::Key(shown(key).into_owned())
    }
}

impl Error {
    pub(crate) fn syntax(description: impl Into<String>, offset: usize) -> Self {
        Self::new(ErrorKind::Syntax, description.into(), Some(offset))
    }

    pub(crate) fn data(description: impl Into<String>, offset: usize) -> Self {
        Self::new(ErrorKind::Data, description.into(), Some(offset))
    }

    pub(crate) fn message(description: impl Into<String>) -> Self {
        Self::new(ErrorKind::Message, description.into(), None)
    }

    fn new(kind: ErrorKind, description: String, offset: Option<usize>) -> Self {
        Self(Box::new(Inner { kind, description, path: Vec::new(), offset }))
    }

    #[cold]
    pub(crate) fn within(mut self, segment: Segment) -> Self {
        self.0.path.push(segment);
        self
    }

    /// What sort of mistake it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.0.description
    }

    /// The field, by its JSON names from the message downwards: `athlete.emails[1]`,
    /// `labels["a"]`. Empty when it is about the whole.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for segment in self.0.path.iter().rev() {
            let name = match segment {
                Segment::Field(name) => name,
                Segment::Name(name) => name.as_str(),
                Segment::Index(index) => {
                    path.push_str(&format!("[{index}]"));
                    continue;
                }
                Segment::Key(key) => {
                    path.push_str(&format!("[{key:?}]"));
                    continue;
                }
            };
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
        path
    }

    /// The byte of the text, from 0, at which it was noticed; none for a message that
    /// was to be written.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.0.description)?;
        self.0.offset.map_or(Ok(()), |offset| write!(f, " (at byte {offset})"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("path", &self.path())
            .field("description", &self.0.description)
            .field("offset", &self.0.offset)
            .finish()
    }
}

impl std::error::Error for Error {}
