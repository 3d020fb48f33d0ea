//! SQL types and the Rust types that stand for them.

use sqlparser::ast::{ArrayElemTypeDef, DataType, ExactNumberInfo, ObjectName, TimezoneInfo};

use super::Schema;

/// The type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A built-in type.
    Scalar(Scalar),
    /// An enum type of the schema, by name.
    Enum(String),
    /// An array. Its elements are taken as not null.
    Array(Box<Self>),
}

/// A built-in type that has a Rust type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scalar {
    Bool,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Text,
    Bytes,
    Uuid,
    TimestampTz,
    Timestamp,
    Date,
    Time,
}

impl Scalar {
    /// The Rust type, fully named.
    #[must_use]
    pub fn rust(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int16 => "i16",
            Self::Int32 => "i32",
            Self::Int64 => "i64",
            Self::Float32 => "f32",
            Self::Float64 => "f64",
            Self::Text => "String",
            Self::Bytes => "Vec<u8>",
            Self::Uuid => "uuid::Uuid",
            Self::TimestampTz => "chrono::DateTime<chrono::Utc>",
            Self::Timestamp => "chrono::NaiveDateTime",
            Self::Date => "chrono::NaiveDate",
            Self::Time => "chrono::NaiveTime",
        }
    }
}

impl ColumnType {
    /// The built-in type or enum at the bottom of arrays.
    #[must_use]
    pub fn element(&self) -> &Self {
        match self {
            Self::Array(element) => element.element(),
            other => other,
        }
    }
}

/// What a declared type means: the type, and whether it makes the column not null by itself.
pub(super) struct Declared {
    pub(super) kind: ColumnType,
    pub(super) not_null: bool,
}

/// Understands a declared type, or says which advice fits.
pub(super) fn understand(schema: &Schema, data_type: &DataType) -> Result<Declared, String> {
    if let DataType::Custom(name, modifiers) = data_type
        && modifiers.is_empty()
    {
        return named(schema, name);
    }
    let kind = match data_type {
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::Qualified(element, _),
        ) => ColumnType::Array(Box::new(understand(schema, element)?.kind)),
        other => ColumnType::Scalar(scalar(other)?),
    };
    Ok(Declared { kind, not_null: false })
}

fn scalar(data_type: &DataType) -> Result<Scalar, String> {
    Ok(match data_type {
        DataType::Bool | DataType::Boolean => Scalar::Bool,
        DataType::SmallInt(None) | DataType::Int2(None) => Scalar::Int16,
        DataType::Int(None) | DataType::Integer(None) | DataType::Int4(None) => Scalar::Int32,
        DataType::BigInt(None) | DataType::Int8(None) => Scalar::Int64,
        DataType::Real | DataType::Float4 => Scalar::Float32,
        DataType::DoublePrecision | DataType::Float8 | DataType::Float(ExactNumberInfo::None) => {
            Scalar::Float64
        }
        DataType::Text
        | DataType::Varchar(_)
        | DataType::CharVarying(_)
        | DataType::CharacterVarying(_)
        | DataType::Char(_)
        | DataType::Character(_) => Scalar::Text,
        DataType::Bytea => Scalar::Bytes,
        DataType::Uuid => Scalar::Uuid,
        DataType::Timestamp(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => {
            Scalar::TimestampTz
        }
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            Scalar::Timestamp
        }
        DataType::Date => Scalar::Date,
        DataType::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => Scalar::Time,
        DataType::Numeric(_) | DataType::Decimal(_) => {
            return Err("use bigint with a unit in the name, or double precision".to_owned());
        }
        DataType::JSON | DataType::JSONB => {
            return Err("use columns, or bytea or text for a document that is only stored".into());
        }
        _ => return Err(ADVICE.to_owned()),
    })
}

const ADVICE: &str = "use a type that has a Rust type: boolean, smallint, integer, bigint, real, \
double precision, text, bytea, uuid, timestamptz, timestamp, date, time, an enum type of an \
earlier statement, or an array of these; or teach schema/types.rs another";

/// A type that the parser does not know: an enum of ours, or a serial.
fn named(schema: &Schema, name: &ObjectName) -> Result<Declared, String> {
    let name = super::statement::object_name(name).map_err(|mistake| mistake.message)?;
    let serial = |scalar| Declared { kind: ColumnType::Scalar(scalar), not_null: true };
    match name.as_str() {
        "smallserial" | "serial2" => Ok(serial(Scalar::Int16)),
        "serial" | "serial4" => Ok(serial(Scalar::Int32)),
        "bigserial" | "serial8" => Ok(serial(Scalar::Int64)),
        _ if schema.enums.contains_key(&name) => {
            Ok(Declared { kind: ColumnType::Enum(name), not_null: false })
        }
        _ => Err(ADVICE.to_owned()),
    }
}
