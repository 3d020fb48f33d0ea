//! Functions of CEL and of protovalidate, by the types that they take.

use super::typed::{call as function, expr, shown};
use crate::model::{CelExpr, CelNode, CelPiece, CelType};

use CelType::{Bool, Bytes, Double, Duration, Int, String as Text, Timestamp, Uint};

/// What a function is called on (nothing, for a function of its own) and takes, its name
/// in the runtime, its result, and whether that may not exist.
type Row = (&'static str, &'static [CelType], &'static str, CelType, bool);

/// Called on a value: the first type is that of the value.
const METHODS: &[Row] = &[
    ("contains", &[Text, Text], ".contains", Bool, false),
    ("startsWith", &[Text, Text], ".starts_with", Bool, false),
    ("endsWith", &[Text, Text], ".ends_with", Bool, false),
    ("contains", &[Bytes, Bytes], "bytes_contain", Bool, false),
    ("startsWith", &[Bytes, Bytes], ".starts_with", Bool, false),
    ("endsWith", &[Bytes, Bytes], ".ends_with", Bool, false),
    ("charAt", &[Text, Int], "char_at", Text, true),
    ("indexOf", &[Text, Text], "index_of", Int, false),
    ("lastIndexOf", &[Text, Text], "last_index_of", Int, false),
    ("lowerAscii", &[Text], "lower_ascii", Text, false),
    ("upperAscii", &[Text], "upper_ascii", Text, false),
    ("trim", &[Text], "trim", Text, false),
    ("replace", &[Text, Text, Text], "replace", Text, false),
    ("substring", &[Text, Int], "substring_from", Text, true),
    ("substring", &[Text, Int, Int], "substring", Text, true),
    ("isEmail", &[Text], "is_email", Bool, false),
    ("isHostname", &[Text], "is_hostname", Bool, false),
    ("isHostAndPort", &[Text, Bool], "is_host_and_port", Bool, false),
    ("isIp", &[Text, Int], "is_ip", Bool, false),
    ("isIpPrefix", &[Text, Int, Bool], "is_ip_prefix", Bool, false),
    ("isUri", &[Text], "is_uri", Bool, false),
    ("isUriRef", &[Text], "is_uri_ref", Bool, false),
    ("isNan", &[Double], ".is_nan", Bool, false),
    ("isInf", &[Double, Int], "is_inf", Bool, false),
    ("getFullYear", &[Timestamp], ".year", Int, true),
    ("getMonth", &[Timestamp], ".month", Int, true),
    ("getDate", &[Timestamp], ".date", Int, true),
    ("getDayOfMonth", &[Timestamp], ".day_of_month", Int, true),
    ("getDayOfWeek", &[Timestamp], ".day_of_week", Int, true),
    ("getDayOfYear", &[Timestamp], ".day_of_year", Int, true),
    ("getHours", &[Timestamp], ".hours", Int, true),
    ("getMinutes", &[Timestamp], ".minutes", Int, true),
    ("getSeconds", &[Timestamp], ".seconds", Int, true),
    ("getMilliseconds", &[Timestamp], ".milliseconds", Int, true),
    ("getHours", &[Duration], ".hours", Int, false),
    ("getMinutes", &[Duration], ".minutes", Int, false),
    ("getSeconds", &[Duration], ".seconds", Int, false),
    ("getMilliseconds", &[Duration], ".milliseconds", Int, false),
];

/// Called on nothing.
const FUNCTIONS: &[Row] = &[
    ("bool", &[Text], "bool_of_str", Bool, true),
    ("int", &[Uint], "uint_to_int", Int, true),
    ("int", &[Double], "double_to_int", Int, true),
    ("int", &[Text], "int_of_str", Int, true),
    ("int", &[Timestamp], ".unix", Int, false),
    ("uint", &[Int], "int_to_uint", Uint, true),
    ("uint", &[Double], "double_to_uint", Uint, true),
    ("uint", &[Text], "uint_of_str", Uint, true),
    ("double", &[Text], "double_of_str", Double, true),
    ("string", &[Bytes], "bytes_text", Text, true),
    ("bytes", &[Text], ".as_bytes", Bytes, false),
    ("duration", &[Text], "Duration::parse", Duration, true),
    ("timestamp", &[Text], "Timestamp::parse", Timestamp, true),
];

/// A call of a function by name and types.
pub(super) fn call(
    target: Option<CelExpr>,
    name: &str,
    arguments: Vec<CelExpr>,
) -> Result<CelExpr, String> {
    let is_method = target.is_some();
    let mut all: Vec<_> = target.into_iter().chain(arguments).collect();
    if let [CelExpr { ty: CelType::Missing, .. }, ..] = all.as_slice() {
        return Ok(all.swap_remove(0));
    }
    if let Some(known) = special(name, is_method, &mut all) {
        return Ok(known);
    }
    let rows = if is_method { METHODS } else { FUNCTIONS };
    let types: Vec<_> = all.iter().map(|argument| argument.ty.clone()).collect();
    let row = rows.iter().find(|(known, takes, ..)| *known == name && **takes == types);
    if let Some((_, _, runtime, ty, fallible)) = row {
        let length = constant_time(name, &all)?;
        return Ok(length.unwrap_or_else(|| function(runtime, *fallible, all, ty.clone())));
    }
    let types: Vec<_> = types.iter().map(shown).collect();
    Err(match (is_method, types.as_slice()) {
        (true, [of, rest @ ..]) => {
            format!("there is no function {of}.{name}({})", rest.join(", "))
        }
        (_, types) => format!("there is no function {name}({})", types.join(", ")),
    })
}

/// `duration('...')` and `timestamp('...')` of a constant are read now.
fn constant_time(name: &str, arguments: &[CelExpr]) -> Result<Option<CelExpr>, String> {
    let [CelExpr { node: CelNode::String(text), .. }] = arguments else { return Ok(None) };
    let wrong = |_| format!("`{text}` is no {name}");
    Ok(match name {
        "timestamp" => {
            let time: prost_types::Timestamp = text.parse().map_err(|_| wrong(()))?;
            Some(expr(CelNode::Timestamp(time.seconds, time.nanos), Timestamp))
        }
        // Only the simplest form is read here; the runtime reads them all.
        "duration" => text
            .strip_suffix('s')
            .and_then(|number| number.parse().ok())
            .map(|seconds| expr(CelNode::Duration(seconds, 0), Duration)),
        _ => None,
    })
}

/// Functions that take several types, or have arguments that may be left out.
fn special(name: &str, is_method: bool, all: &mut Vec<CelExpr>) -> Option<CelExpr> {
    let int = |value| expr(CelNode::Int(value), Int);
    let bool = |value| expr(CelNode::Bool(value), Bool);
    match (name, is_method, all.as_slice()) {
        ("size", _, [CelExpr { ty: Text, .. }]) => {
            Some(function("size", false, std::mem::take(all), Int))
        }
        ("size", _, [CelExpr { ty: Bytes | CelType::List(_) | CelType::Map(..), .. }]) => {
            Some(expr(CelNode::Size(Box::new(all.swap_remove(0))), Int))
        }
        ("unique", true, [CelExpr { ty: CelType::List(_), .. }]) => {
            Some(function("unique", false, std::mem::take(all), Bool))
        }
        ("join", true, [CelExpr { ty: CelType::List(item), .. }, rest @ ..])
            if **item == Text && rest.iter().all(|rest| rest.ty == Text) && rest.len() < 2 =>
        {
            if rest.is_empty() {
                all.push(expr(CelNode::String(String::new()), Text));
            }
            Some(function("join", false, std::mem::take(all), Text))
        }
        ("split", true, [CelExpr { ty: Text, .. }, CelExpr { ty: Text, .. }]) => {
            let ty = CelType::List(Box::new(Text));
            Some(function("split", false, std::mem::take(all), ty))
        }
        ("isIp", true, [_]) => {
            all.push(int(0));
            None
        }
        ("isInf", true, [_]) => {
            all.push(int(0));
            None
        }
        ("isIpPrefix", true, [_, rest @ ..]) => {
            match rest {
                [] => all.extend([int(0), bool(false)]),
                [CelExpr { ty: Int, .. }] => all.push(bool(false)),
                [CelExpr { ty: Bool, .. }] => all.insert(1, int(0)),
                _ => {}
            }
            None
        }
        ("int" | "uint" | "double" | "string" | "bytes" | "bool", false, [value]) => {
            conversion(name, value)
        }
        _ => None,
    }
}

/// Conversions to the same type, and those that Rust's own formatting does.
fn conversion(name: &str, value: &CelExpr) -> Option<CelExpr> {
    match (name, &value.ty) {
        ("int", Int)
        | ("uint", Uint)
        | ("double", Double)
        | ("string", Text)
        | ("bytes", Bytes)
        | ("bool", Bool) => Some(value.clone()),
        ("double", Int | Uint) => {
            let one = expr(CelNode::Double(1.0), Double);
            Some(expr(CelNode::Double2("as", Box::new(value.clone()), Box::new(one)), Double))
        }
        ("string", Int | Uint | Double | Bool | Duration | Timestamp) => {
            Some(expr(CelNode::Format(vec![CelPiece::Value(Box::new(value.clone()), "")]), Text))
        }
        _ => None,
    }
}

/// Splits the text of `format` at its verbs.
pub(super) fn pieces(text: &str, values: Vec<CelExpr>) -> Result<Vec<CelPiece>, String> {
    let mut pieces = Vec::new();
    let mut values = values.into_iter();
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            plain.push(c);
            continue;
        }
        let verb = rest.next().ok_or("the text of `format` ends in `%`")?;
        if verb == '%' {
            plain.push('%');
            continue;
        }
        let value = values.next().ok_or("`format` has fewer values than its text wants")?;
        let show = shown_as(verb, &value.ty)?;
        if !plain.is_empty() {
            pieces.push(CelPiece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(CelPiece::Value(Box::new(value), show));
    }
    if values.next().is_some() {
        return Err("`format` has more values than its text wants".to_owned());
    }
    if !plain.is_empty() {
        pieces.push(CelPiece::Text(plain));
    }
    Ok(pieces)
}

fn shown_as(verb: char, ty: &CelType) -> Result<&'static str, String> {
    match (verb, ty) {
        ('s', CelType::Message(_) | CelType::Map(..) | CelType::Null) => {
            Err(format!("`format` cannot show {}", shown(ty)))
        }
        ('s', _) | ('d', Int | Uint) => Ok(""),
        ('x', Int | Uint | Bytes | Text) => Ok(":x"),
        ('X', Int | Uint | Bytes | Text) => Ok(":X"),
        ('o', Int | Uint) => Ok(":o"),
        ('b', Int | Uint) => Ok(":b"),
        ('f', Double) => Ok(":.6"),
        ('e', Double) => Ok(":.6e"),
        _ => Err(format!("`%{verb}` does not show {}", shown(ty))),
    }
}
