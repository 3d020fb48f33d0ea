//! Fractions of a second, with 0, 3, 6 or 9 digits.

use crate::Writer;

/// What one unit of the last of so many decimals is, in nanoseconds.
const UNITS: [i32; 10] =
    [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// Writes a point and as many digits as are needed; nothing for zero.
pub(super) fn write(nanos: u32, writer: &mut Writer<'_>) {
    let (width, value) = match nanos {
        0 => return,
        _ if nanos.is_multiple_of(1_000_000) => (3, nanos / 1_000_000),
        _ if nanos.is_multiple_of(1_000) => (6, nanos / 1_000),
        _ => (9, nanos),
    };
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    writer.raw(".");
    writer.raw("000000000".get(text.len().min(width)..width).unwrap_or_default());
    writer.raw(text);
}

/// Reads one to nine digits as nanoseconds; gives what follows them too.
#[inline]
pub(super) fn parse(text: &[u8]) -> Option<(i32, &[u8])> {
    let mut value = 0;
    let mut rest = text;
    while let Some((first, others)) = rest.split_first()
        && let Some(digit) = digit(first)
    {
        if text.len() - rest.len() == 9 {
            return None;
        }
        (value, rest) = (value * 10 + digit, others);
    }
    let length = text.len() - rest.len();
    (length > 0).then_some((value * UNITS.get(length)?, rest))
}

/// The value of a decimal digit.
pub(super) fn digit(byte: &u8) -> Option<i32> {
    byte.is_ascii_digit().then(|| i32::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn decimals_are_nanoseconds() {
        assert_eq!(parse(b"5Z"), Some((500_000_000, b"Z".as_slice())));
        assert_eq!(parse(b"000000001"), Some((1, b"".as_slice())));
        assert_eq!(parse(b"999999999s"), Some((999_999_999, b"s".as_slice())));
        for text in ["", "Z", "0000000000", "9999999999", "-1"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
