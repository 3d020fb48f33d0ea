//! Messages and enums.

use serde::Serialize;

use super::{FieldRules, MessageRules, TypeRef};

/// A message.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// The Rust type.
    pub rust: TypeRef,
    /// Name without package and outer messages.
    pub name: String,
    /// Full proto name.
    pub full_name: String,
    /// Comment of the contract.
    pub comment: String,
    /// `deprecated` was set on it.
    pub deprecated: bool,
    /// Every field in order of declaration, those of oneofs included.
    pub fields: Vec<Field>,
    /// Its oneofs, each of which is an enum in Rust.
    pub oneofs: Vec<Oneof>,
    /// Rust path of the module for the types inside of it, when there are any.
    pub module: String,
    /// What the Rust type can be besides `Clone` and `PartialEq`.
    pub derives: Derives,
    /// Its rules.
    pub rules: MessageRules,
}

/// What a type of Rust can be because everything in it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Derives {
    /// `Copy`: nothing is on the heap.
    pub copy: bool,
    /// `Eq` and `Hash`: there is no floating point.
    pub eq: bool,
}

/// What a Rust struct has as one field.
#[derive(Clone, Copy, Debug)]
pub enum Member<'a> {
    /// A field of its own.
    Field(&'a Field),
    /// A oneof, whose fields are variants of an enum.
    Oneof(&'a Oneof),
}

impl Message {
    /// Whether a field of it must not be printed.
    #[must_use]
    pub fn is_redacted(&self) -> bool {
        self.fields.iter().any(|field| field.redacted)
    }

    /// The members of the Rust struct, by the order in which the contract first names them.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        let mut seen = vec![false; self.oneofs.len()];
        self.fields.iter().filter_map(move |field| match field.oneof {
            None => Some(Member::Field(field)),
            Some(index) if std::mem::replace(seen.get_mut(index)?, true) => None,
            Some(index) => self.oneofs.get(index).map(Member::Oneof),
        })
    }

    /// The fields of one of its oneofs, which are the variants of its enum.
    pub fn variants(&self, oneof: usize) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.oneof == Some(oneof))
    }

    /// Types that its fields refer to, the enums of its oneofs included.
    pub fn refers(&self) -> impl Iterator<Item = &TypeRef> {
        let oneofs = self.oneofs.iter().map(|oneof| &oneof.rust);
        self.fields.iter().filter_map(|field| field.ty.rust()).chain(oneofs)
    }
}

/// A oneof of a message.
#[derive(Clone, Debug, Serialize)]
pub struct Oneof {
    /// Name in the contract.
    pub name: String,
    /// Name of the struct's field.
    pub rust_name: String,
    /// The Rust enum.
    pub rust: TypeRef,
    /// Comment of the contract.
    pub comment: String,
    /// What the Rust enum can be.
    pub derives: Derives,
    /// One of its fields has to be set.
    pub required: bool,
}

/// A field of a message.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Name in the contract.
    pub name: String,
    /// Name in JSON.
    pub json_name: String,
    /// Number on the wire.
    pub number: u32,
    /// Comment of the contract.
    pub comment: String,
    /// Name of the struct's field, or of the enum's variant when it belongs to a oneof.
    pub rust_name: String,
    /// Type of the value; of a map, that of its values.
    pub ty: FieldType,
    /// How often it stands, and whether its absence is known.
    pub cardinality: FieldCardinality,
    /// The oneof that it belongs to, as an index into [`Message::oneofs`].
    pub oneof: Option<usize>,
    /// Repeated values share one length on the wire.
    pub packed: bool,
    /// The message stands between two keys on the wire instead of behind a length: a
    /// group of proto2, or `message_encoding = DELIMITED`.
    pub delimited: bool,
    /// The value is on the heap, because its type holds itself.
    pub boxed: bool,
    /// The default that the contract declares (proto2), as prost's attribute has it.
    pub default: Option<String>,
    /// `debug_redact` was set on it.
    pub redacted: bool,
    /// `deprecated` was set on it.
    pub deprecated: bool,
    /// Values of `google.api.field_behavior` (AIP-203), for example `REQUIRED`.
    pub behaviors: Vec<String>,
    /// Its rules.
    pub rules: FieldRules,
}

/// Type of a field's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum FieldType {
    /// A scalar.
    Scalar(Scalar),
    /// A message.
    Message {
        /// The Rust type; a well-known type is of the package `google.protobuf`.
        rust: TypeRef,
        /// Full proto name.
        full_name: String,
    },
    /// An enum, which a Rust struct holds as its number.
    Enum {
        /// The Rust type.
        rust: TypeRef,
        /// Full proto name.
        full_name: String,
    },
}

impl FieldType {
    /// The Rust type of a message or an enum.
    #[must_use]
    pub fn rust(&self) -> Option<&TypeRef> {
        match self {
            Self::Scalar(_) => None,
            Self::Message { rust, .. } | Self::Enum { rust, .. } => Some(rust),
        }
    }
}

/// A scalar type of protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[expect(missing_docs, reason = "the names are protobuf's own")]
pub enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

/// How often a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum FieldCardinality {
    /// Once; its absence is the same as its default.
    Implicit,
    /// Once or not at all. Messages and members of oneofs are always so.
    Explicit,
    /// Exactly once (proto2).
    Required,
    /// Any number of times.
    Repeated,
    /// A map with keys of this type.
    Map(Scalar),
}

/// An enum.
#[derive(Clone, Debug, Serialize)]
pub struct Enum {
    /// The Rust type.
    pub rust: TypeRef,
    /// Name without package and outer messages.
    pub name: String,
    /// Full proto name.
    pub full_name: String,
    /// Comment of the contract.
    pub comment: String,
    /// `deprecated` was set on it.
    pub deprecated: bool,
    /// Numbers that it does not name are not values of it (proto2).
    pub closed: bool,
    /// Its values in order of declaration, aliases included.
    pub values: Vec<EnumValue>,
}

/// A value of an enum.
#[derive(Clone, Debug, Serialize)]
pub struct EnumValue {
    /// Name in the contract, which is its name in JSON.
    pub name: String,
    /// Number on the wire.
    pub number: i32,
    /// Name of the variant; an alias shares that of the first value of its number.
    pub rust_name: String,
    /// Comment of the contract.
    pub comment: String,
    /// `deprecated` was set on it.
    pub deprecated: bool,
}

/// The scalar in a well-known wrapper, for example `google.protobuf.Int32Value`.
#[must_use]
pub fn wrapped(full_name: &str) -> Option<Scalar> {
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "DoubleValue" => Scalar::Double,
        "FloatValue" => Scalar::Float,
        "Int64Value" => Scalar::Int64,
        "UInt64Value" => Scalar::Uint64,
        "Int32Value" => Scalar::Int32,
        "UInt32Value" => Scalar::Uint32,
        "BoolValue" => Scalar::Bool,
        "StringValue" => Scalar::String,
        "BytesValue" => Scalar::Bytes,
        _ => return None,
    })
}
