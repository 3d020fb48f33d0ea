//! Texts of path and query to fields.
//!
//! A generated `bind` function matches on the field's name, parses with a function
//! of this module and assigns:
//!
//! ```ignore
//! fn bind_list_orders(request: &mut ListOrdersRequest, name: &str, value: &str) -> Bind {
//!     match name {
//!         "page_size" | "pageSize" => request.page_size = bind::int32(name, value)?,
//!         "gift" => request.gift = Some(bind::bool(name, value)?),
//!         "tags" => request.tags.push(bind::string(name, value)?),
//!         "state" => request.state = bind::enumeration(name, value, OrderState::from_str_name)?,
//!         _ => return Ok(Bound::Unknown),
//!     }
//!     Ok(Bound::Field)
//! }
//! ```

use std::str::FromStr;

use treaty_error::FieldViolation;
use treaty_json::Json;

/// Outcome of binding one text.
pub type Bind = Result<Bound, FieldViolation>;

/// Whether the name was a field's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It was, and the field is set.
    Field,
    /// The message has no such field that a text can set.
    Unknown,
}

fn wrong(field: &str, value: &str, expected: &str) -> FieldViolation {
    FieldViolation::new(field, format!("invalid value `{value}`, expected {expected}"))
}

fn number<T: FromStr>(field: &str, value: &str, expected: &str) -> Result<T, FieldViolation> {
    // Rust accepts a leading plus sign, which JSON does not.
    match value.parse() {
        Ok(number) if !value.starts_with('+') => Ok(number),
        _ => Err(wrong(field, value, expected)),
    }
}

/// Parses `int32`, `sint32` and `sfixed32`.
///
/// # Errors
/// When the text is no such number.
pub fn int32(field: &str, value: &str) -> Result<i32, FieldViolation> {
    number(field, value, "a whole number of 32 bits")
}

/// Parses `int64`, `sint64` and `sfixed64`.
///
/// # Errors
/// When the text is no such number.
pub fn int64(field: &str, value: &str) -> Result<i64, FieldViolation> {
    number(field, value, "a whole number of 64 bits")
}

/// Parses `uint32` and `fixed32`.
///
/// # Errors
/// When the text is no such number.
pub fn uint32(field: &str, value: &str) -> Result<u32, FieldViolation> {
    number(field, value, "a whole number of 32 bits, not negative")
}

/// Parses `uint64` and `fixed64`.
///
/// # Errors
/// When the text is no such number.
pub fn uint64(field: &str, value: &str) -> Result<u64, FieldViolation> {
    number(field, value, "a whole number of 64 bits, not negative")
}

/// Parses `double`, with `NaN`, `Infinity` and `-Infinity` as JSON has them.
///
/// # Errors
/// When the text is no such number, or one too large.
pub fn double(field: &str, value: &str) -> Result<f64, FieldViolation> {
    match value {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        // Rust reads `inf`, `nan` and the like, and makes infinity of what is too
        // large; neither is meant.
        _ => number(field, value, "a number")
            .and_then(|number: f64| finite(number.is_finite(), number, field, value)),
    }
}

/// Parses `float`, with `NaN`, `Infinity` and `-Infinity` as JSON has them.
///
/// # Errors
/// When the text is no such number, or one too large.
pub fn float(field: &str, value: &str) -> Result<f32, FieldViolation> {
    match value {
        "NaN" => Ok(f32::NAN),
        "Infinity" => Ok(f32::INFINITY),
        "-Infinity" => Ok(f32::NEG_INFINITY),
        _ => number(field, value, "a number")
            .and_then(|number: f32| finite(number.is_finite(), number, field, value)),
    }
}

fn finite<T>(is_finite: bool, number: T, field: &str, value: &str) -> Result<T, FieldViolation> {
    if is_finite { Ok(number) } else { Err(wrong(field, value, "a number in range")) }
}

/// Parses `bool`.
///
/// # Errors
/// When the text is neither `true` nor `false`.
pub fn bool(field: &str, value: &str) -> Result<bool, FieldViolation> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(field, value, "true or false")),
    }
}

/// Takes `string` as it is.
///
/// # Errors
/// None; the type is that of its siblings.
pub fn string(_field: &str, value: &str) -> Result<String, FieldViolation> {
    Ok(value.to_owned())
}

/// Parses `bytes` from base64, in the standard or the URL alphabet, padded or not.
///
/// # Errors
/// When the text is not base64.
pub fn bytes<B: From<Vec<u8>>>(field: &str, value: &str) -> Result<B, FieldViolation> {
    base64(value).map(B::from).ok_or_else(|| wrong(field, value, "base64"))
}

/// Parses an enum from the name or the number of a value; `by_name` is prost's
/// `from_str_name`. The result is what prost keeps in the message.
///
/// # Errors
/// When no value has that name or number.
pub fn enumeration<E: TryFrom<i32> + Into<i32>>(
    field: &str,
    value: &str,
    by_name: impl Fn(&str) -> Option<E>,
) -> Result<i32, FieldViolation> {
    by_name(value)
        .or_else(|| value.parse::<i32>().ok().and_then(|number| E::try_from(number).ok()))
        .map(E::into)
        .ok_or_else(|| wrong(field, value, "the name or number of an enum value"))
}

/// Parses a type whose JSON form is a string, such as a timestamp or a duration,
/// as its JSON is read.
///
/// # Errors
/// Those of the type.
pub fn json<T: Json>(field: &str, value: &str) -> Result<T, FieldViolation> {
    treaty_json::from_text(value).map_err(|error| {
        FieldViolation::new(field, format!("invalid value `{value}`: {}", error.description()))
    })
}

/// Decodes base64. Four characters are three bytes; a last group of two or three
/// characters is one or two.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits = 0_u32;
        for character in group {
            bits = bits << 6 | sextet(*character)?;
        }
        let [_, first, second, third] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        match group.len() {
            4 => bytes.extend([first, second, third]),
            3 => bytes.extend([first, second]),
            2 => bytes.push(first),
            _ => return None,
        }
    }
    Some(bytes)
}

fn sextet(character: u8) -> Option<u32> {
    Some(u32::from(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_strict_about_range_and_form() {
        assert_eq!(int32("n", "-2147483648"), Ok(i32::MIN));
        assert_eq!(uint64("n", "18446744073709551615"), Ok(u64::MAX));
        for bad in ["", "+1", "1.0", "1e3", " 1", "2147483648", "0x1", "one"] {
            assert!(int32("n", bad).is_err(), "{bad:?}");
        }
        assert!(uint32("n", "-1").is_err());
        assert_eq!(
            int64("page", "x").unwrap_err(),
            FieldViolation::new("page", "invalid value `x`, expected a whole number of 64 bits")
        );
    }

    #[test]
    fn floats_know_json_names_and_no_others() {
        assert_eq!(double("n", "1e-3"), Ok(0.001));
        assert_eq!(double("n", "-Infinity"), Ok(f64::NEG_INFINITY));
        assert!(double("n", "NaN").unwrap().is_nan());
        assert_eq!(float("n", "1.5"), Ok(1.5));
        for bad in ["inf", "nan", "infinity", "1e999", "+1", ""] {
            assert!(double("n", bad).is_err(), "{bad:?}");
            assert!(float("n", bad).is_err(), "{bad:?}");
        }
        assert!(float("n", "1e39").is_err());
    }

    #[test]
    fn bytes_come_in_either_alphabet() {
        let parse = |text| bytes::<Vec<u8>>("b", text).ok();
        assert_eq!(parse("-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(parse("+/8="), Some(vec![0xfb, 0xff]));
        assert_eq!(parse("aGVsbG8"), Some(b"hello".to_vec()));
        assert_eq!(parse(""), Some(Vec::new()));
        assert_eq!(parse("a"), None);
        assert_eq!(parse("a b="), None);
    }

    #[test]
    fn booleans_are_two_words() {
        assert_eq!(bool("b", "true"), Ok(true));
        assert!(bool("b", "1").is_err());
    }

    #[test]
    fn a_type_with_a_textual_form_speaks_for_itself() {
        let number: i64 = json("n", "12").unwrap();
        assert_eq!(number, 12);
        assert_eq!(json::<i64>("n", "x").unwrap_err().field, "n");
    }
}
