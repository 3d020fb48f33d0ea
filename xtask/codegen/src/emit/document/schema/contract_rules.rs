//! Rules of `buf.validate` as [`Rules`].

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Value;
use super::rules::{MessageRules, Rules};
use crate::emit::document::pattern::Pattern;
use crate::emit::document::time;
use crate::model::{
    AnyRules, Bound, BytesRules, CelRule, EnumRules, FieldMaskRules, FieldRules, Ignore, MapRules,
    Message, Moment, Number, NumberRules, RepeatedRules, Scalar, StandardRules, StringRules,
    TimeRules,
};

/// The rules of a message as a whole.
pub(super) fn of_message(message: &Message) -> MessageRules {
    let groups = message.rules.groups.iter();
    MessageRules {
        required_oneofs: message
            .oneofs
            .iter()
            .filter(|oneof| oneof.required)
            .map(|oneof| oneof.name.clone())
            .collect(),
        choices: groups.map(|group| (group.fields.clone(), group.required)).collect(),
        notes: notes(&message.rules.cel),
    }
}

/// The rules of a field, or of what is in it.
pub(super) fn of_field(contract: &FieldRules) -> Rules {
    if contract.ignore == Ignore::Always {
        return Rules::default();
    }
    let mut rules = Rules {
        required: contract.required,
        ignores_zero: contract.ignore == Ignore::Zero,
        ..Rules::default()
    };
    match &contract.standard {
        None => {}
        Some(StandardRules::Bool(bool)) => {
            rules.constant = bool.equals.map(Into::into);
            rules.examples = bool.examples.iter().map(|one| Value::from(*one)).collect();
        }
        Some(StandardRules::Number(number)) => of_number(&mut rules, number),
        Some(StandardRules::String(text)) => of_text(&mut rules, text),
        Some(StandardRules::Bytes(bytes)) => of_bytes(&mut rules, bytes),
        Some(StandardRules::Enum(enumeration)) => of_enum(&mut rules, enumeration),
        Some(StandardRules::Repeated(list)) => of_list(&mut rules, list),
        Some(StandardRules::Map(map)) => of_map(&mut rules, map),
        Some(StandardRules::Any(any)) => of_any(&mut rules, any),
        Some(StandardRules::Duration(duration)) => of_time(&mut rules, duration, duration_text),
        Some(StandardRules::Timestamp(timestamp)) => of_time(&mut rules, timestamp, timestamp_text),
        Some(StandardRules::FieldMask(mask)) => of_mask(&mut rules, mask),
    }
    rules.notes.extend(notes(&contract.cel));
    rules.notes.extend(notes(&contract.predefined));
    rules
}

/// What an expression demands: its message, or the expression itself.
fn notes(rules: &[CelRule]) -> Vec<String> {
    rules
        .iter()
        .map(|rule| {
            if rule.message.is_empty() {
                format!(
                    "Rule: `{}`.",
                    rule.expression.split_whitespace().collect::<Vec<_>>().join(" ")
                )
            } else {
                format!("Rule: {}.", rule.message.trim_end_matches('.'))
            }
        })
        .collect()
}

fn is_wide(scalar: Scalar) -> bool {
    use Scalar::{Fixed64, Int64, Sfixed64, Sint64, Uint64};
    matches!(scalar, Int64 | Uint64 | Sint64 | Fixed64 | Sfixed64)
}

/// In JSON a number of 64 bits is a text.
fn json_number(number: Number, scalar: Scalar) -> Value {
    match number {
        Number::Int(value) if is_wide(scalar) => value.to_string().into(),
        Number::Uint(value) if is_wide(scalar) => value.to_string().into(),
        Number::Int(value) => value.into(),
        Number::Uint(value) => value.into(),
        Number::Float(value) => value.into(),
    }
}

fn plain_number(number: Number) -> Value {
    json_number(number, Scalar::Int32)
}

fn of_number(rules: &mut Rules, number: &NumberRules) {
    let json = |value: &Number| json_number(*value, number.scalar);
    rules.constant = number.equals.as_ref().map(json);
    rules.one_of = number.one_of.iter().map(json).collect();
    rules.none_of = number.none_of.iter().map(json).collect();
    rules.examples = number.examples.iter().map(json).collect();
    rules.finite = number.finite;
    if let (Some(lower), Some(upper)) = (number.lower, number.upper)
        && upper.value < lower.value
    {
        // What lies between is forbidden then.
        rules.notes.push(format!(
            "Rule: {} {} or {} {}.",
            if upper.inclusive { "at most" } else { "below" },
            plain_number(upper.value).compact(),
            if lower.inclusive { "at least" } else { "above" },
            plain_number(lower.value).compact(),
        ));
        return;
    }
    let of = |bound: Option<Bound<Number>>, inclusive: bool| {
        let bound = bound.filter(|bound| bound.inclusive == inclusive);
        bound.map(|bound| plain_number(bound.value))
    };
    rules.minimum = of(number.lower, true);
    rules.above = of(number.lower, false);
    rules.maximum = of(number.upper, true);
    rules.below = of(number.upper, false);
}

fn of_text(rules: &mut Rules, text: &StringRules) {
    rules.constant = text.equals.as_ref().map(Into::into);
    rules.one_of = text.one_of.iter().map(Into::into).collect();
    rules.none_of = text.none_of.iter().map(Into::into).collect();
    rules.examples = text.examples.iter().map(Into::into).collect();
    rules.min_length = text.len.or(text.min_len);
    rules.max_length = text.len.or(text.max_len);
    for (bound, what) in
        [(text.len_bytes, "exactly"), (text.min_bytes, "at least"), (text.max_bytes, "at most")]
    {
        rules.notes.extend(bound.map(|bytes| format!("Rule: {what} {bytes} bytes in UTF-8.")));
    }
    let literal = |text: &String| regex_syntax::escape(text);
    let patterns = [
        text.pattern.clone(),
        text.prefix.as_ref().map(|prefix| format!("^{}", literal(prefix))),
        text.suffix.as_ref().map(|suffix| format!("{}$", literal(suffix))),
        text.contains.as_ref().map(literal),
    ];
    for pattern in patterns.into_iter().flatten() {
        match Pattern::parse(&pattern).and_then(|parsed| parsed.ecma()) {
            Some(ecma) => rules.patterns.push(ecma),
            None => rules.notes.push(format!("Rule: matches `{pattern}` (RE2).")),
        }
    }
    if let Some(part) = &text.not_contains {
        rules.notes.push(format!("Rule: does not contain `{part}`."));
    }
    if let Some(format) = &text.format {
        match json_format(format) {
            Some(known) => rules.format = Some(known),
            None => {
                let (pattern, words) = other_format(format);
                rules.patterns.extend(pattern.map(str::to_owned));
                rules.notes.push(words);
            }
        }
    }
}

/// Formats that JSON Schema names alike (2020-12, validation, section 7.3).
fn json_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "email" => "email",
        "hostname" => "hostname",
        "ipv4" => "ipv4",
        "ipv6" => "ipv6",
        "uri" => "uri",
        "uri_ref" => "uri-reference",
        "uuid" => "uuid",
        _ => return None,
    })
}

/// A pattern that the other formats have in common, and their names in words.
fn other_format(format: &str) -> (Option<&'static str>, String) {
    let pattern = match format {
        "tuuid" => Some("^[0-9a-fA-F]{32}$"),
        "ulid" => Some("^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"),
        _ => None,
    };
    let words = match format {
        "tuuid" => "a UUID without hyphens".to_owned(),
        "ulid" => "a ULID".to_owned(),
        "ip" => "an IP address".to_owned(),
        "address" => "a host name or an IP address".to_owned(),
        other => other.replace('_', " "),
    };
    (pattern, format!("Rule: {words}."))
}

fn of_bytes(rules: &mut Rules, bytes: &BytesRules) {
    let json = |bytes: &Vec<u8>| Value::from(BASE64_STANDARD.encode(bytes));
    rules.constant = bytes.equals.as_ref().map(json);
    rules.one_of = bytes.one_of.iter().map(json).collect();
    rules.none_of = bytes.none_of.iter().map(json).collect();
    rules.examples = bytes.examples.iter().map(json).collect();
    rules.min_length = bytes.len.or(bytes.min_len);
    rules.max_length = bytes.len.or(bytes.max_len);
    let shown = |bytes: &Vec<u8>| BASE64_STANDARD.encode(bytes);
    for (part, what) in [
        (&bytes.prefix, "begins with"),
        (&bytes.suffix, "ends with"),
        (&bytes.contains, "contains"),
    ] {
        let part = part.as_ref().map(shown);
        rules.notes.extend(part.map(|part| format!("Rule: {what} `{part}` (base64).")));
    }
    let pattern = bytes.pattern.as_ref();
    rules.notes.extend(pattern.map(|pattern| format!("Rule: matches `{pattern}` (RE2).")));
    rules.notes.extend(bytes.format.as_ref().map(|format| format!("Rule: {format}.")));
}

fn of_enum(rules: &mut Rules, enumeration: &EnumRules) {
    let json = |number: &i32| Value::from(*number);
    rules.constant = enumeration.equals.as_ref().map(json);
    rules.one_of = enumeration.one_of.iter().map(json).collect();
    rules.none_of = enumeration.none_of.iter().map(json).collect();
}

fn of_list(rules: &mut Rules, list: &RepeatedRules) {
    rules.min_items = list.min_items;
    rules.max_items = list.max_items;
    rules.unique = list.unique;
    rules.items = list.items.as_deref().map(|items| Box::new(of_field(items)));
}

fn of_map(rules: &mut Rules, map: &MapRules) {
    rules.min_items = map.min_pairs;
    rules.max_items = map.max_pairs;
    rules.keys = map.keys.as_deref().map(|keys| Box::new(of_field(keys)));
    rules.values = map.values.as_deref().map(|values| Box::new(of_field(values)));
}

fn of_any(rules: &mut Rules, any: &AnyRules) {
    for (urls, what) in [(&any.one_of, "one of"), (&any.none_of, "none of")] {
        if !urls.is_empty() {
            rules.notes.push(format!("Rule: {what} the types `{}`.", urls.join("`, `")));
        }
    }
}

fn of_mask(rules: &mut Rules, mask: &FieldMaskRules) {
    let paths = |what: &str, paths: &[String]| format!("Rule: {what} `{}`.", paths.join("`, `"));
    rules.notes.extend(mask.equals.as_ref().map(|equals| paths("exactly", equals)));
    if !mask.one_of.is_empty() {
        rules.notes.push(paths("only", &mask.one_of));
    }
    if !mask.none_of.is_empty() {
        rules.notes.push(paths("none of", &mask.none_of));
    }
}

/// Times and spans are texts in JSON, whose order no keyword knows.
fn of_time(rules: &mut Rules, of: &TimeRules, text: fn(&Moment) -> String) {
    let json = |moment: &Moment| Value::from(text(moment));
    rules.constant = of.equals.as_ref().map(json);
    rules.one_of = of.one_of.iter().map(json).collect();
    rules.none_of = of.none_of.iter().map(json).collect();
    rules.examples = of.examples.iter().map(json).collect();
    let mut note = |what: String| rules.notes.push(format!("Rule: {what}."));
    if let Some(bound) = &of.lower {
        let what = if bound.inclusive { "at least" } else { "more than" };
        note(format!("{what} {}", text(&bound.value)));
    }
    if let Some(bound) = &of.upper {
        let what = if bound.inclusive { "at most" } else { "less than" };
        note(format!("{what} {}", text(&bound.value)));
    }
    if of.before_now {
        note("not in the future".to_owned());
    }
    if of.after_now {
        note("not in the past".to_owned());
    }
    if let Some(within) = &of.within {
        note(format!("at most {} from now", duration_text(within)));
    }
}

fn duration_text(moment: &Moment) -> String {
    let negative = moment.seconds < 0 || moment.nanos < 0;
    let size = std::time::Duration::new(moment.seconds.unsigned_abs(), moment.nanos.unsigned_abs());
    format!("{}{}", if negative { "-" } else { "" }, time::json(size))
}

fn timestamp_text(moment: &Moment) -> String {
    time::rfc3339(moment.seconds, moment.nanos)
}
