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
        let text = reader.string()?;
        *self = parse(&text).ok_or_else(|| reader.wrong(at, "expected a duration such as 1.5s"))?;
        Ok(())
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let digits = digits.strip_suffix('s')?;
    let (whole, nanos) = match digits.split_once('.') {
        Some((whole, digits)) => (whole, fraction::parse(digits)?),
        None => (digits, 0),
    };
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    (seconds.unsigned_abs() <= MAX_SECONDS)
        .then_some(Duration { seconds: sign * seconds, nanos: i32::try_from(sign).ok()? * nanos })
}
