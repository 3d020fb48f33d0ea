//! CEL expressions of rules, with their types checked.

use serde::Serialize;

use super::{Scalar, TypeRef};

/// A rule that is an expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CelRule {
    /// Its id; for an expression without one, the expression.
    pub id: String,
    /// What to say when it is broken; empty when the expression says it.
    pub message: String,
    /// The expression as the contract has it.
    pub expression: String,
    /// Where it stands.
    pub place: CelPlace,
    /// The expression, understood.
    pub program: CelExpr,
    /// Whether a text that it makes could show a redacted field.
    pub redacted: bool,
}

/// Where a rule that is an expression stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CelPlace {
    /// In `cel` of a message or field, by index.
    Cel(u64),
    /// In `cel_expression` of a message or field, by index.
    Expression(u64),
    /// In an extension of standard rules.
    Predefined {
        /// Kind of rules, as `int32`, and its number in `buf.validate.FieldRules`.
        family: (String, u32),
        /// Full name of the extension.
        name: String,
        /// Number of the extension.
        number: u32,
        /// Type of the extension.
        ty: CelFieldKind,
    },
}

/// Protobuf's type of a field, as far as paths of rules show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CelFieldKind {
    /// A scalar.
    Scalar(Scalar),
    /// An enum.
    Enum,
    /// A message.
    Message,
}

/// Type of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CelType {
    /// `bool`
    Bool,
    /// `int`: all signed integers and enums.
    Int,
    /// `uint`: all unsigned integers.
    Uint,
    /// `double`: both floating-point types.
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `google.protobuf.Duration`
    Duration,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `null`
    Null,
    /// A message, by its full name.
    Message(String),
    /// A wrapper: a value or null.
    Wrapper(Box<CelType>),
    /// A list.
    List(Box<CelType>),
    /// A map of stored keys to values.
    Map(CelStored, CelStored),
    /// What exists for no message: its use fails.
    Missing,
}

/// How a value is stored in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CelStored {
    /// As a scalar.
    Scalar(Scalar),
    /// As the number of an enum.
    Enum,
    /// As a message.
    Message(String),
    /// As a duration.
    Duration,
    /// As a time.
    Timestamp,
    /// As a scalar whose message is a wrapper.
    Wrapper(Scalar),
}

impl CelStored {
    /// The type that an expression gives it.
    #[must_use]
    pub fn ty(&self) -> CelType {
        match self {
            Self::Scalar(scalar) => scalar_type(*scalar),
            Self::Enum => CelType::Int,
            Self::Message(name) => CelType::Message(name.clone()),
            Self::Duration => CelType::Duration,
            Self::Timestamp => CelType::Timestamp,
            Self::Wrapper(scalar) => CelType::Wrapper(Box::new(scalar_type(*scalar))),
        }
    }
}

fn scalar_type(scalar: Scalar) -> CelType {
    match scalar {
        Scalar::Double | Scalar::Float => CelType::Double,
        Scalar::Int32
        | Scalar::Int64
        | Scalar::Sint32
        | Scalar::Sint64
        | Scalar::Sfixed32
        | Scalar::Sfixed64 => CelType::Int,
        Scalar::Uint32 | Scalar::Uint64 | Scalar::Fixed32 | Scalar::Fixed64 => CelType::Uint,
        Scalar::Bool => CelType::Bool,
        Scalar::String => CelType::String,
        Scalar::Bytes => CelType::Bytes,
    }
}

/// An expression with its type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CelExpr {
    /// What it is.
    pub node: CelNode,
    /// Its type.
    pub ty: CelType,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names are those of CEL's grammar")]
pub enum CelNode {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    /// Seconds and nanoseconds.
    Duration(i64, i32),
    /// Seconds and nanoseconds.
    Timestamp(i64, i32),
    Null,
    This(CelShape),
    Now,
    Variable(String),
    Select(Box<CelExpr>, CelField),
    Has(Box<CelExpr>, CelField),
    Not(Box<CelExpr>),
    And(Box<CelExpr>, Box<CelExpr>),
    Or(Box<CelExpr>, Box<CelExpr>),
    Conditional(Box<[CelExpr; 3]>),
    /// `==`, `!=`, `<`, `<=`, `>`, `>=`.
    Compare(&'static str, Box<CelExpr>, Box<CelExpr>),
    /// An operator of Rust on doubles.
    Double2(&'static str, Box<CelExpr>, Box<CelExpr>),
    /// A function of the runtime.
    Call(CelFunction, Vec<CelExpr>),
    List(Vec<CelExpr>),
    /// `list[index]`
    At(Box<CelExpr>, Box<CelExpr>),
    /// `map[key]`
    Entry(Box<CelExpr>, Box<CelExpr>),
    /// `item in list`
    In(Box<CelExpr>, Box<CelExpr>),
    /// `key in map`
    HasKey(Box<CelExpr>, Box<CelExpr>),
    /// Number of items of a list or entries of a map.
    Size(Box<CelExpr>),
    /// The value of a wrapper; there is none when it is null.
    Unwrap(Box<CelExpr>),
    /// Whether a wrapper is null or a message absent.
    IsNull(Box<CelExpr>),
    /// A macro over a list, or over the keys of a map.
    Macro(&'static str, Box<CelExpr>, String, Box<CelExpr>),
    /// `text.format([...])`: texts with, between them, values and how they are shown.
    Format(Vec<CelPiece>),
    /// `text.matches('...')` with a constant expression.
    Matches(Box<CelExpr>, String),
    /// A field of a value whose type is hidden by `dyn`, which has no such field.
    NoSuchField,
}

/// The shape of `this`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CelShape {
    /// One value.
    One(CelStored),
    /// A list.
    List(CelStored),
    /// A map.
    Map(CelStored, CelStored),
}

/// A function of the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CelFunction {
    /// Its name in `treaty_validate::cel`, or a method as `.len`.
    pub name: &'static str,
    /// Whether its result may not exist.
    pub fallible: bool,
}

/// A piece of a text that is put together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum CelPiece {
    /// As it is.
    Text(String),
    /// A value, and how Rust's `format!` shows it, for example `:x`.
    Value(Box<CelExpr>, &'static str),
}

/// A field that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CelField {
    /// Name of the struct's field, or of the variant.
    pub rust_name: String,
    /// Its shape.
    pub shape: CelShape,
    /// Whether its absence is known: an `Option`.
    pub optional: bool,
    /// The oneof that it belongs to: its field and its enum.
    pub oneof: Option<(String, TypeRef)>,
}
