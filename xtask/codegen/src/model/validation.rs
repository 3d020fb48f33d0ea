//! Rules of `buf.validate`, as the contracts state them.

use serde::Serialize;

use super::{CelRule, Scalar};

/// Rules of a message as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MessageRules {
    /// Expressions.
    pub cel: Vec<CelRule>,
    /// Groups of fields of which at most one is set.
    pub groups: Vec<FieldGroup>,
    /// Whether it has rules anywhere, in messages inside of it included: only then is
    /// there anything to check.
    pub checked: bool,
}

/// Fields of which at most one is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldGroup {
    /// Their names.
    pub fields: Vec<String>,
    /// Whether one of them has to be.
    pub required: bool,
}

/// Rules of a field, of the items of a list, or of the keys or values of a map.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FieldRules {
    /// The field has to be set; without presence, to something else than its zero value.
    pub required: bool,
    /// When its rules do not count.
    pub ignore: Ignore,
    /// Expressions, `this` being the value.
    pub cel: Vec<CelRule>,
    /// Standard rules, by the type of the value.
    pub standard: Option<StandardRules>,
    /// Rules that the contracts define themselves, as extensions of the standard ones.
    pub predefined: Vec<CelRule>,
}

impl FieldRules {
    /// Whether there is nothing to check.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ignore == Ignore::Always
            || (!self.required
                && self.cel.is_empty()
                && self.predefined.is_empty()
                && self.standard.as_ref().is_none_or(StandardRules::is_empty))
    }
}

impl FieldRules {
    /// Whether a message in the field is checked by its own rules.
    #[must_use]
    pub fn checks_messages(&self) -> bool {
        let inner = match &self.standard {
            Some(StandardRules::Repeated(rules)) => rules.items.as_deref(),
            Some(StandardRules::Map(rules)) => rules.values.as_deref(),
            _ => None,
        };
        let never = |rules: &Self| rules.ignore == Ignore::Always;
        !never(self) && !inner.is_some_and(never)
    }
}

/// When rules of a field do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Ignore {
    /// When the field tracks presence and is absent.
    #[default]
    Unset,
    /// When it is absent or zero.
    Zero,
    /// Never checked, nor is the message in it.
    Always,
}

/// Standard rules, by the type of the value; wrappers have those of what they wrap.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each is explained by its struct")]
pub enum StandardRules {
    Bool(BoolRules),
    Number(NumberRules),
    String(StringRules),
    Bytes(BytesRules),
    Enum(EnumRules),
    Repeated(RepeatedRules),
    Map(MapRules),
    Any(AnyRules),
    Duration(TimeRules),
    Timestamp(TimeRules),
    FieldMask(FieldMaskRules),
}

impl StandardRules {
    fn is_empty(&self) -> bool {
        match self {
            Self::Bool(rules) => rules.equals.is_none(),
            Self::Number(rules) => *rules.without_examples() == NumberRules::of(rules.scalar),
            Self::String(rules) => {
                *rules == StringRules { examples: rules.examples.clone(), ..Default::default() }
            }
            Self::Bytes(rules) => {
                *rules == BytesRules { examples: rules.examples.clone(), ..Default::default() }
            }
            Self::Enum(rules) => {
                *rules == EnumRules { examples: rules.examples.clone(), ..Default::default() }
            }
            Self::Repeated(rules) => *rules == RepeatedRules::default(),
            Self::Map(rules) => *rules == MapRules::default(),
            Self::Any(rules) => *rules == AnyRules::default(),
            Self::Duration(rules) | Self::Timestamp(rules) => {
                *rules == TimeRules { examples: rules.examples.clone(), ..Default::default() }
            }
            Self::FieldMask(rules) => *rules == FieldMaskRules::default(),
        }
    }
}

/// Rules of a boolean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BoolRules {
    /// The only value.
    pub equals: Option<bool>,
    /// Values to show.
    pub examples: Vec<bool>,
}

/// A number of a rule, as wide as it gets.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Number {
    Int(i64),
    Uint(u64),
    Float(f64),
}

/// A lower or upper bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound<T> {
    /// The value.
    pub value: T,
    /// Whether the value itself is allowed.
    pub inclusive: bool,
}

/// Rules of a number. An upper bound below the lower one means what lies outside.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NumberRules {
    /// Type of the number.
    pub scalar: Scalar,
    /// The only value.
    pub equals: Option<Number>,
    /// `gt` or `gte`.
    pub lower: Option<Bound<Number>>,
    /// `lt` or `lte`.
    pub upper: Option<Bound<Number>>,
    /// Allowed values; all when empty.
    pub one_of: Vec<Number>,
    /// Forbidden values.
    pub none_of: Vec<Number>,
    /// Neither infinite nor NaN.
    pub finite: bool,
    /// Values to show.
    pub examples: Vec<Number>,
}

impl NumberRules {
    /// No rules.
    #[must_use]
    pub fn of(scalar: Scalar) -> Self {
        Self {
            scalar,
            equals: None,
            lower: None,
            upper: None,
            one_of: Vec::new(),
            none_of: Vec::new(),
            finite: false,
            examples: Vec::new(),
        }
    }

    fn without_examples(&self) -> Box<Self> {
        Box::new(Self { examples: Vec::new(), ..self.clone() })
    }
}

/// Rules of a string. Lengths are in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of buf.validate")]
pub struct StringRules {
    pub equals: Option<String>,
    pub len: Option<u64>,
    pub min_len: Option<u64>,
    pub max_len: Option<u64>,
    pub len_bytes: Option<u64>,
    pub min_bytes: Option<u64>,
    pub max_bytes: Option<u64>,
    pub pattern: Option<String>,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
    pub contains: Option<String>,
    pub not_contains: Option<String>,
    pub one_of: Vec<String>,
    pub none_of: Vec<String>,
    /// Name of a well-known format, as `email`; of the formats of HTTP headers
    /// `header_name`, `header_value`, `loose_header_name` and `loose_header_value`.
    pub format: Option<String>,
    pub examples: Vec<String>,
}

/// Rules of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of buf.validate")]
pub struct BytesRules {
    pub equals: Option<Vec<u8>>,
    pub len: Option<u64>,
    pub min_len: Option<u64>,
    pub max_len: Option<u64>,
    pub pattern: Option<String>,
    pub prefix: Option<Vec<u8>>,
    pub suffix: Option<Vec<u8>>,
    pub contains: Option<Vec<u8>>,
    pub one_of: Vec<Vec<u8>>,
    pub none_of: Vec<Vec<u8>>,
    /// `ip`, `ipv4`, `ipv6` or `uuid`.
    pub format: Option<String>,
    pub examples: Vec<Vec<u8>>,
}

/// Rules of an enum, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EnumRules {
    /// The only value.
    pub equals: Option<i32>,
    /// Only values that the enum names.
    pub defined_only: bool,
    /// Numbers that the enum names, sorted.
    pub defined: Vec<i32>,
    /// Allowed values; all when empty.
    pub one_of: Vec<i32>,
    /// Forbidden values.
    pub none_of: Vec<i32>,
    /// Values to show.
    pub examples: Vec<i32>,
}

/// Rules of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RepeatedRules {
    /// Fewest items.
    pub min_items: Option<u64>,
    /// Most items.
    pub max_items: Option<u64>,
    /// No item twice.
    pub unique: bool,
    /// Rules of each item.
    pub items: Option<Box<FieldRules>>,
}

/// Rules of a map.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MapRules {
    /// Fewest entries.
    pub min_pairs: Option<u64>,
    /// Most entries.
    pub max_pairs: Option<u64>,
    /// Rules of each key.
    pub keys: Option<Box<FieldRules>>,
    /// Rules of each value.
    pub values: Option<Box<FieldRules>>,
}

/// Rules of `google.protobuf.Any`, by type URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AnyRules {
    /// Allowed types; all when empty.
    pub one_of: Vec<String>,
    /// Forbidden types.
    pub none_of: Vec<String>,
}

/// A time or a span of time: whole seconds and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Moment {
    /// Seconds; of a time, since 1970.
    pub seconds: i64,
    /// Nanoseconds; of a span, with the sign of the seconds.
    pub nanos: i32,
}

/// Rules of `google.protobuf.Duration` and `Timestamp`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TimeRules {
    /// The only value.
    pub equals: Option<Moment>,
    /// `gt` or `gte`.
    pub lower: Option<Bound<Moment>>,
    /// `lt` or `lte`.
    pub upper: Option<Bound<Moment>>,
    /// Allowed values; all when empty (durations).
    pub one_of: Vec<Moment>,
    /// Forbidden values (durations).
    pub none_of: Vec<Moment>,
    /// Not in the future (times).
    pub before_now: bool,
    /// Not in the past (times).
    pub after_now: bool,
    /// Largest distance from now (times).
    pub within: Option<Moment>,
    /// Values to show.
    pub examples: Vec<Moment>,
}

/// Rules of `google.protobuf.FieldMask`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldMaskRules {
    /// The only paths.
    pub equals: Option<Vec<String>>,
    /// Allowed paths, with all that is below; all when empty.
    pub one_of: Vec<String>,
    /// Forbidden paths, with all that is below.
    pub none_of: Vec<String>,
}
