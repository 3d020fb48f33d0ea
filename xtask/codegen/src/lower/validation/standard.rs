//! Standard rules by kind.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind};

use super::rules::Rules;
use super::{Place, pattern};
use crate::lower::messages;
use crate::model::{
    AnyRules, BoolRules, Bound, BytesRules, CelFieldKind, EnumRules, FieldMaskRules, FieldType,
    MapRules, NumberRules, RepeatedRules, Scalar, StandardRules, StringRules, TimeRules, wrapped,
};

/// A kind of rules: a field of `buf.validate.FieldRules`.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) number: u32,
    fits: Fits,
}

/// What a kind of rules fits.
#[derive(Clone, Copy)]
enum Fits {
    Scalar(Scalar),
    Enum,
    Message(&'static str),
    List,
    Map,
}

const fn scalar(name: &'static str, number: u32, scalar: Scalar) -> Family {
    Family { name, number, fits: Fits::Scalar(scalar) }
}

const fn message(name: &'static str, number: u32, full_name: &'static str) -> Family {
    Family { name, number, fits: Fits::Message(full_name) }
}

pub(super) static FAMILIES: [Family; 22] = [
    scalar("float", 1, Scalar::Float),
    scalar("double", 2, Scalar::Double),
    scalar("int32", 3, Scalar::Int32),
    scalar("int64", 4, Scalar::Int64),
    scalar("uint32", 5, Scalar::Uint32),
    scalar("uint64", 6, Scalar::Uint64),
    scalar("sint32", 7, Scalar::Sint32),
    scalar("sint64", 8, Scalar::Sint64),
    scalar("fixed32", 9, Scalar::Fixed32),
    scalar("fixed64", 10, Scalar::Fixed64),
    scalar("sfixed32", 11, Scalar::Sfixed32),
    scalar("sfixed64", 12, Scalar::Sfixed64),
    scalar("bool", 13, Scalar::Bool),
    scalar("string", 14, Scalar::String),
    scalar("bytes", 15, Scalar::Bytes),
    Family { name: "enum", number: 16, fits: Fits::Enum },
    Family { name: "repeated", number: 18, fits: Fits::List },
    Family { name: "map", number: 19, fits: Fits::Map },
    message("any", 20, "google.protobuf.Any"),
    message("duration", 21, "google.protobuf.Duration"),
    message("timestamp", 22, "google.protobuf.Timestamp"),
    message("field_mask", 28, "google.protobuf.FieldMask"),
];

/// Refuses rules on what they do not fit.
pub(super) fn check_fit(
    family: &Family,
    field: &FieldDescriptor,
    place: Place,
) -> Result<(), String> {
    let ty = messages::field_type(field);
    let fits = match (family.fits, place) {
        (Fits::List, Place::List) | (Fits::Map, Place::Map) => true,
        (Fits::Scalar(scalar), Place::One) => match &ty {
            FieldType::Scalar(own) => *own == scalar,
            FieldType::Message { full_name, .. } => wrapped(full_name) == Some(scalar),
            FieldType::Enum { .. } => false,
        },
        (Fits::Enum, Place::One) => matches!(ty, FieldType::Enum { .. }),
        (Fits::Message(wanted), Place::One) => {
            matches!(&ty, FieldType::Message { full_name, .. } if full_name == wanted)
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let name = family.name;
    let has = match place {
        Place::List => "a list: rules of its items stand in `repeated.items`".to_owned(),
        Place::Map => "a map: rules of its entries stand in `map.keys` and `map.values`".to_owned(),
        Place::One => match ty {
            FieldType::Scalar(scalar) => format!("of type {scalar:?}").to_lowercase(),
            FieldType::Message { full_name, .. } | FieldType::Enum { full_name, .. } => {
                format!("of type {full_name}")
            }
        },
    };
    Err(format!("rules of kind `{name}` do not fit: `{}` is {has}", field.name()))
}

/// Key and value of a map.
pub(super) fn entry(field: &FieldDescriptor) -> Result<(FieldDescriptor, FieldDescriptor), String> {
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => {
            Ok((entry.map_entry_key_field(), entry.map_entry_value_field()))
        }
        _ => Err(format!("`{}` is no map", field.name())),
    }
}

/// The type of an extension, as a path of rules shows it.
pub(super) fn kind(kind: &Kind) -> CelFieldKind {
    match kind {
        Kind::Message(_) => CelFieldKind::Message,
        Kind::Enum(_) => CelFieldKind::Enum,
        Kind::Double => CelFieldKind::Scalar(Scalar::Double),
        Kind::Float => CelFieldKind::Scalar(Scalar::Float),
        Kind::Int32 => CelFieldKind::Scalar(Scalar::Int32),
        Kind::Int64 => CelFieldKind::Scalar(Scalar::Int64),
        Kind::Uint32 => CelFieldKind::Scalar(Scalar::Uint32),
        Kind::Uint64 => CelFieldKind::Scalar(Scalar::Uint64),
        Kind::Sint32 => CelFieldKind::Scalar(Scalar::Sint32),
        Kind::Sint64 => CelFieldKind::Scalar(Scalar::Sint64),
        Kind::Fixed32 => CelFieldKind::Scalar(Scalar::Fixed32),
        Kind::Fixed64 => CelFieldKind::Scalar(Scalar::Fixed64),
        Kind::Sfixed32 => CelFieldKind::Scalar(Scalar::Sfixed32),
        Kind::Sfixed64 => CelFieldKind::Scalar(Scalar::Sfixed64),
        Kind::Bool => CelFieldKind::Scalar(Scalar::Bool),
        Kind::String => CelFieldKind::Scalar(Scalar::String),
        Kind::Bytes => CelFieldKind::Scalar(Scalar::Bytes),
    }
}

pub(super) fn repeated(rules: &DynamicMessage) -> RepeatedRules {
    let rules = Rules(rules);
    RepeatedRules {
        min_items: rules.length("min_items"),
        max_items: rules.length("max_items"),
        unique: rules.bool("unique") == Some(true),
        items: None,
    }
}

pub(super) fn map(rules: &DynamicMessage) -> MapRules {
    let rules = Rules(rules);
    MapRules {
        min_pairs: rules.length("min_pairs"),
        max_pairs: rules.length("max_pairs"),
        keys: None,
        values: None,
    }
}

/// Rules of one value.
pub(super) fn lower(
    family: &Family,
    message: &DynamicMessage,
    field: &FieldDescriptor,
) -> Result<StandardRules, String> {
    let rules = Rules(message);
    Ok(match family.fits {
        Fits::Scalar(Scalar::Bool) => StandardRules::Bool(BoolRules {
            equals: rules.bool("const"),
            examples: rules.bools("example"),
        }),
        Fits::Scalar(Scalar::String) => StandardRules::String(string(&rules)?),
        Fits::Scalar(Scalar::Bytes) => StandardRules::Bytes(bytes(&rules)?),
        Fits::Scalar(scalar) => StandardRules::Number(number(&rules, scalar)),
        Fits::Enum => StandardRules::Enum(enumeration(&rules, field)),
        Fits::Message("google.protobuf.Any") => StandardRules::Any(AnyRules {
            one_of: rules.strings("in"),
            none_of: rules.strings("not_in"),
        }),
        Fits::Message("google.protobuf.Duration") => StandardRules::Duration(time(&rules)),
        Fits::Message("google.protobuf.Timestamp") => StandardRules::Timestamp(time(&rules)),
        Fits::Message(_) | Fits::List | Fits::Map => StandardRules::FieldMask(FieldMaskRules {
            equals: rules.message("const").map(|mask| Rules(&mask).strings("paths")),
            one_of: rules.strings("in"),
            none_of: rules.strings("not_in"),
        }),
    })
}

fn number(rules: &Rules<'_>, scalar: Scalar) -> NumberRules {
    let bound = |name, inclusive| rules.scalar(name).map(|value| Bound { value, inclusive });
    NumberRules {
        scalar,
        equals: rules.scalar("const"),
        lower: bound("gt", false).or_else(|| bound("gte", true)),
        upper: bound("lt", false).or_else(|| bound("lte", true)),
        one_of: rules.numbers("in"),
        none_of: rules.numbers("not_in"),
        finite: rules.bool("finite") == Some(true),
        examples: rules.numbers("example"),
    }
}

fn time(rules: &Rules<'_>) -> TimeRules {
    let bound = |name, inclusive| rules.moment(name).map(|value| Bound { value, inclusive });
    TimeRules {
        equals: rules.moment("const"),
        lower: bound("gt", false).or_else(|| bound("gte", true)),
        upper: bound("lt", false).or_else(|| bound("lte", true)),
        one_of: rules.moments("in"),
        none_of: rules.moments("not_in"),
        before_now: rules.bool("lt_now") == Some(true),
        after_now: rules.bool("gt_now") == Some(true),
        within: rules.moment("within"),
        examples: rules.moments("example"),
    }
}

fn enumeration(rules: &Rules<'_>, field: &FieldDescriptor) -> EnumRules {
    let mut defined: Vec<i32> = match field.kind() {
        Kind::Enum(enumeration) => enumeration.values().map(|value| value.number()).collect(),
        _ => Vec::new(),
    };
    defined.sort_unstable();
    defined.dedup();
    let defined_only = rules.bool("defined_only") == Some(true);
    EnumRules {
        equals: rules.number("const"),
        defined_only,
        defined: if defined_only { defined } else { Vec::new() },
        one_of: rules.integers("in"),
        none_of: rules.integers("not_in"),
        examples: rules.integers("example"),
    }
}

const STRING_FORMATS: [&str; 20] = [
    "email",
    "hostname",
    "ip",
    "ipv4",
    "ipv6",
    "uri",
    "uri_ref",
    "address",
    "uuid",
    "tuuid",
    "ip_with_prefixlen",
    "ipv4_with_prefixlen",
    "ipv6_with_prefixlen",
    "ip_prefix",
    "ipv4_prefix",
    "ipv6_prefix",
    "host_and_port",
    "ulid",
    "protobuf_fqn",
    "protobuf_dot_fqn",
];

/// The well-known format that is asked for.
fn format(rules: &Rules<'_>, known: &[&str]) -> Option<String> {
    known.iter().find(|name| rules.bool(name) == Some(true)).map(|name| (*name).to_owned())
}

fn string(rules: &Rules<'_>) -> Result<StringRules, String> {
    let text = rules.string("pattern");
    text.as_deref().map_or(Ok(()), pattern)?;
    let loose = rules.bool("strict") == Some(false);
    let header = match (rules.number("well_known_regex"), loose) {
        (Some(1), false) => Some("header_name"),
        (Some(1), true) => Some("loose_header_name"),
        (Some(2), false) => Some("header_value"),
        (Some(2), true) => Some("loose_header_value"),
        _ => None,
    };
    Ok(StringRules {
        equals: rules.string("const"),
        len: rules.length("len"),
        min_len: rules.length("min_len"),
        max_len: rules.length("max_len"),
        len_bytes: rules.length("len_bytes"),
        min_bytes: rules.length("min_bytes"),
        max_bytes: rules.length("max_bytes"),
        pattern: text,
        prefix: rules.string("prefix"),
        suffix: rules.string("suffix"),
        contains: rules.string("contains"),
        not_contains: rules.string("not_contains"),
        one_of: rules.strings("in"),
        none_of: rules.strings("not_in"),
        format: header.map(str::to_owned).or_else(|| format(rules, &STRING_FORMATS)),
        examples: rules.strings("example"),
    })
}

fn bytes(rules: &Rules<'_>) -> Result<BytesRules, String> {
    let text = rules.string("pattern");
    text.as_deref().map_or(Ok(()), pattern)?;
    Ok(BytesRules {
        equals: rules.bytes("const"),
        len: rules.length("len"),
        min_len: rules.length("min_len"),
        max_len: rules.length("max_len"),
        pattern: text,
        prefix: rules.bytes("prefix"),
        suffix: rules.bytes("suffix"),
        contains: rules.bytes("contains"),
        one_of: rules.byte_strings("in"),
        none_of: rules.byte_strings("not_in"),
        format: format(rules, &["ip", "ipv4", "ipv6", "uuid"]),
        examples: rules.byte_strings("example"),
    })
}
