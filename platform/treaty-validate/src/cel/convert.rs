//! Conversions between types, as `int(...)`.

use super::{Error, Result};

/// `int(uint)`
///
/// # Errors
/// It is too large.
#[inline]
pub fn uint_to_int(value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| Error::Overflow)
}

/// `uint(int)`
///
/// # Errors
/// It is negative.
#[inline]
pub fn int_to_uint(value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| Error::Overflow)
}

/// `int(double)`, rounded towards zero.
///
/// # Errors
/// It is out of range.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the range is checked before")]
pub fn double_to_int(value: f64) -> Result<i64> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if value > -BOUND && value < BOUND { Ok(value as i64) } else { Err(Error::Overflow) }
}

/// `uint(double)`, rounded towards zero.
///
/// # Errors
/// It is out of range.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
pub fn double_to_uint(value: f64) -> Result<u64> {
    const BOUND: f64 = 18_446_744_073_709_551_616.0;
    if (0.0..BOUND).contains(&value) { Ok(value as u64) } else { Err(Error::Overflow) }
}

/// `int(text)`
///
/// # Errors
/// It is no number.
pub fn int_of_str(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::Conversion("int"))
}

/// `uint(text)`
///
/// # Errors
/// It is no number.
pub fn uint_of_str(text: &str) -> Result<u64> {
    text.parse().map_err(|_| Error::Conversion("uint"))
}

/// `double(text)`
///
/// # Errors
/// It is no number.
pub fn double_of_str(text: &str) -> Result<f64> {
    text.parse().map_err(|_| Error::Conversion("double"))
}

/// `bool(text)`
///
/// # Errors
/// It is none of the texts that the specification names.
pub fn bool_of_str(text: &str) -> Result<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(Error::Conversion("bool")),
    }
}

/// `string(bytes)`
///
/// # Errors
/// They are not UTF-8.
pub fn bytes_text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::Conversion("string"))
}
