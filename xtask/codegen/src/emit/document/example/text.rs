//! Texts that stand for a field, and library types.

use super::super::pattern::Pattern;
use super::super::schema::rules::Rules;
use super::super::value::{Object, Value, list};

const UUID: &str = "4f7a1c52-9d0e-4c8b-a3f6-2b8d5e90c714";

/// A longer text is no good example.
const LONGEST: u64 = 1_000;

/// A text that obeys the rules, or none when none is known to.
pub(super) fn sample(name: &str, comment: &str, rules: &Rules) -> Option<String> {
    if rules.min_length.is_some_and(|least| least > LONGEST) {
        return None;
    }
    if let Some(format) = rules.format {
        return formatted(format).map(str::to_owned).filter(|text| fits(text, rules));
    }
    match rules.patterns.as_slice() {
        [] => {}
        [pattern] => {
            let text = Pattern::parse(pattern)?.sample();
            return Some(text).filter(|text| fits(text, rules));
        }
        _ => return None,
    }
    Some(lengthened(by_name(name, comment), rules)).filter(|text| fits(text, rules))
}

fn fits(text: &str, rules: &Rules) -> bool {
    let length = text.chars().count() as u64;
    rules.min_length.is_none_or(|least| length >= least)
        && rules.max_length.is_none_or(|most| length <= most)
        && !rules.none_of.contains(&text.into())
}

/// Cuts or repeats a text until its length is allowed.
fn lengthened(text: &str, rules: &Rules) -> String {
    let count = text.chars().count() as u64;
    let wanted = count.max(rules.min_length.unwrap_or(0)).min(rules.max_length.unwrap_or(u64::MAX));
    text.chars().cycle().take(usize::try_from(wanted).unwrap_or(usize::MAX)).collect()
}

fn formatted(format: &str) -> Option<&'static str> {
    Some(match format {
        "email" => "ada@example.org",
        "hostname" => "example.org",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" => "https://example.org/",
        "uri-reference" => "/a/b",
        "uuid" => UUID,
        _ => return None,
    })
}

/// What a person would put there, going by the field's name.
fn by_name(name: &str, comment: &str) -> &'static str {
    let is = |words: &[&str]| {
        words.iter().any(|word| name == *word || name.ends_with(&format!("_{word}")))
    };
    if comment.contains("UUID") {
        UUID
    } else if is(&["email"]) {
        "ada@example.org"
    } else if is(&["url", "uri"]) {
        "https://example.org/"
    } else if is(&["id"]) {
        "a1"
    } else if is(&["name"]) {
        "Ada"
    } else if is(&["currency", "currency_code"]) {
        "EUR"
    } else if is(&["token", "key"]) {
        "abc"
    } else {
        "text"
    }
}

/// A value of a type that a library brings.
pub(super) fn known(full_name: &str) -> Option<Value> {
    Some(match full_name {
        "google.protobuf.Timestamp" => "2026-01-02T03:04:05Z".into(),
        "google.protobuf.Duration" => "1.500s".into(),
        "google.protobuf.FieldMask" => "name".into(),
        "google.protobuf.BoolValue" => true.into(),
        "google.protobuf.Int32Value" | "google.protobuf.UInt32Value" => 1.into(),
        "google.protobuf.Int64Value" | "google.protobuf.UInt64Value" => "1".into(),
        "google.protobuf.FloatValue" | "google.protobuf.DoubleValue" => 0.5.into(),
        "google.protobuf.StringValue" | "google.protobuf.Value" => "text".into(),
        "google.protobuf.BytesValue" => "dHJlYXR5".into(),
        "google.protobuf.Struct" => Object::new().with("key", "value").into(),
        "google.protobuf.ListValue" => list(["text"]),
        "google.protobuf.NullValue" => Value::Null,
        "google.protobuf.Empty" => Object::new().into(),
        "google.protobuf.Any" => Object::new()
            .with("@type", "type.googleapis.com/google.protobuf.Duration")
            .with("value", "1.500s")
            .into(),
        _ => return None,
    })
}
