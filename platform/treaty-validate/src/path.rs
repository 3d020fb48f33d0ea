//! Where a violation is, and which rule it breaks: paths of fields.

use std::borrow::Cow;
use std::fmt;

/// Protobuf's type of a field, numbered as in `google.protobuf.FieldDescriptorProto.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are protobuf's")]
pub enum Kind {
    Double = 1,
    Float = 2,
    Int64 = 3,
    Uint64 = 4,
    Int32 = 5,
    Fixed64 = 6,
    Fixed32 = 7,
    Bool = 8,
    String = 9,
    Group = 10,
    Message = 11,
    Bytes = 12,
    Uint32 = 13,
    Enum = 14,
    Sfixed32 = 15,
    Sfixed64 = 16,
    Sint32 = 17,
    Sint64 = 18,
}

/// A field of a message, as generated code names it in constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number.
    pub number: u32,
    /// Its name in the contract.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Types of key and value, when it is a map.
    pub entry: Option<(Kind, Kind)>,
    /// Whether its value must not be shown: neither keys of a map nor texts made of it.
    pub redacted: bool,
}

impl Field {
    /// A field that is no map.
    #[must_use]
    pub const fn new(number: u32, name: &'static str, kind: Kind) -> Self {
        Self { number, name, kind, entry: None, redacted: false }
    }

    /// A map.
    #[must_use]
    pub const fn map(number: u32, name: &'static str, key: Kind, value: Kind) -> Self {
        Self { number, name, kind: Kind::Message, entry: Some((key, value)), redacted: false }
    }

    /// The same field, whose value must not be shown.
    #[must_use]
    pub const fn redacted(mut self) -> Self {
        self.redacted = true;
        self
    }

    pub(crate) fn element(&self, subscript: Option<Subscript>) -> Element {
        let hidden = self.redacted && !matches!(subscript, Some(Subscript::Index(_)) | None);
        Element {
            number: Some(self.number),
            name: Cow::Borrowed(self.name),
            kind: Some(self.kind),
            // The types of an entry belong to the path of an entry.
            entry: self.entry.filter(|_| subscript.is_some()),
            subscript: if hidden { Some(Subscript::Hidden) } else { subscript },
        }
    }
}

/// One step of a path; `buf.validate.FieldPathElement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Number of the field; a oneof has none.
    pub number: Option<u32>,
    /// Name of the field or oneof; that of an extension stands in brackets.
    pub name: Cow<'static, str>,
    /// Type of the field; a oneof has none.
    pub kind: Option<Kind>,
    /// Types of key and value, when it is a map.
    pub entry: Option<(Kind, Kind)>,
    /// Which item of a list or entry of a map.
    pub subscript: Option<Subscript>,
}

/// Which item of a list or entry of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscript {
    /// Item of a list, from 0.
    Index(u64),
    /// Entry under a boolean.
    Bool(bool),
    /// Entry under a signed number.
    Int(i64),
    /// Entry under an unsigned number.
    Uint(u64),
    /// Entry under a text.
    Text(String),
    /// An entry whose key must not be shown.
    Hidden,
}

macro_rules! subscripts {
    ($($type:ty => $variant:ident),*) => {
        $(impl From<&$type> for Subscript {
            fn from(key: &$type) -> Self {
                Self::$variant(key.clone().into())
            }
        })*
    };
}

subscripts!(bool => Bool, i32 => Int, i64 => Int, u32 => Uint, u64 => Uint, String => Text);

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.subscript {
            None => Ok(()),
            Some(Subscript::Index(index)) => write!(f, "[{index}]"),
            Some(Subscript::Bool(key)) => write!(f, "[{key}]"),
            Some(Subscript::Int(key)) => write!(f, "[{key}]"),
            Some(Subscript::Uint(key)) => write!(f, "[{key}]"),
            Some(Subscript::Text(key)) => write!(f, "[{key:?}]"),
            Some(Subscript::Hidden) => f.write_str("[redacted]"),
        }
    }
}

/// A path as a text, for example `athlete.tags[2]` or `repeated.items.string.min_len`.
pub(crate) fn text<'a>(elements: impl Iterator<Item = &'a Element>) -> String {
    let mut text = String::new();
    for element in elements {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&element.to_string());
    }
    text
}
