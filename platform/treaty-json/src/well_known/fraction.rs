//! Fractions of a second, with 0, 3, 6 or 9 digits.

use crate::Writer;

/// Writes a point and as many digits as are needed; nothing for zero.
pub(super) fn write(nanos: u32, writer: &mut Writer<'_>) {
    let (width, value) = match nanos {
        0 => return,
        _ if nanos.is_multiple_of(1_000_000) => (3, nanos / 1_000_000),
        _ if nanos.is_multiple_of(1_000) => (6, nanos / 1_000),
        _ => (9, nanos),
    };
    writer.raw(".");
    digits(u64::from(value), width, writer);
}

/// Writes a number with leading zeros.
pub(super) fn digits(value: u64, width: usize, writer: &mut Writer<'_>) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    writer.raw("000000000".get(text.len().min(width)..width).unwrap_or_default());
    writer.raw(text);
}

/// Reads one to nine digits as nanoseconds.
pub(super) fn parse(text: &str) -> Option<i32> {
    if !(1..=9).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padding = u32::try_from(9 - text.len()).ok()?;
    text.parse::<i32>().ok()?.checked_mul(10_i32.checked_pow(padding)?)
}
