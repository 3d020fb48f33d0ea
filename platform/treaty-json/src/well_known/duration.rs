//! `google.protobuf.Duration`: seconds with up to nine decimals, and an `s`.

use prost_types::Duration;

use super::fraction;
use crate::{Error, Json, Reader, Writer};

/// Ten thousand years, as the contract of the type says.
const MAX_SECONDS: u64 = 315_576_000_000;

impl Json for Duration {
    fn write_json(&self, writer: &mut Writer<'_>) {
        let Self { seconds, nanos } = *self;
        if seconds.unsigned_abs() > MAX_SECONDS
            || nanos.unsigned_abs() >= 1_000_000_000
            || (seconds < 0 && nanos > 0)
            || (seconds > 0 && nanos < 0)
        {
            return writer.fail("a duration of more than 10000 years, or of two signs");
        }
        writer.raw(if seconds < 0 || nanos < 0 { "\"-" } else { "\"" });
        writer.bare(seconds.unsigned_abs());
        fraction::write(nanos.unsigned_abs(), writer);
        writer.raw("s\"");
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let at = reader.position();
        // No writer escapes anything in it, so that it can be read where it stands.
        if let Some(value) = reader.plain_string(parse) {
            *self = value;
            return Ok(());
        }
        let text = reader.string()?;
        *self = match parse(text.as_bytes()) {
            Some((value, [])) => value,
            _ => return Err(reader.wrong(at, "expected a duration such as 1.5s")),
        };
        Ok(())
    }
}

/// Reads a duration, and gives what follows it.
#[inline]
fn parse(text: &[u8]) -> Option<(Duration, &[u8])> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    let mut seconds = 0_u64;
    let mut length = 0;
    while let Some(digit) = digits.get(length).and_then(fraction::digit) {
        length += 1;
        seconds = seconds * 10 + u64::from(digit.unsigned_abs());
        if seconds > MAX_SECONDS {
            return None;
        }
    }
    let (nanos, rest) = match digits.split_at_checked(length)?.1 {
        [b'.', decimals @ ..] => fraction::parse(decimals)?,
        rest => (0, rest),
    };
    let [b's', rest @ ..] = rest else { return None };
    let seconds = i64::from(sign) * i64::try_from(seconds).ok()?;
    (length > 0).then_some((Duration { seconds, nanos: sign * nanos }, rest))
}
