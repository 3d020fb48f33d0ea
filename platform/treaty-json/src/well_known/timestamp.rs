//! `google.protobuf.Timestamp`: RFC 3339, years 1 to 9999.

use prost_types::Timestamp;

use super::calendar::Date;
use super::fraction;
use crate::{Error, Json, Reader, Writer};

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

impl Json for Timestamp {
    fn write_json(&self, writer: &mut Writer<'_>) {
        let nanos = u32::try_from(self.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
        let (Some(nanos), true) = (nanos, SECONDS.contains(&self.seconds)) else {
            return writer.fail("a timestamp outside of the years 1 to 9999");
        };
        let days = i32::try_from(self.seconds.div_euclid(86_400)).unwrap_or_default();
        let time = i32::try_from(self.seconds.rem_euclid(86_400)).unwrap_or_default();
        let Date { year, month, day } = Date::of_days(days);
        let [century, year] = [year / 100, year % 100].map(two_digits);
        let [month, day] = [month, day].map(two_digits);
        let [hour, minute, second] = [time / 3_600, time / 60 % 60, time % 60].map(two_digits);
        let mut text = *b"\"YYYY-MM-DDTHH:MM:SS";
        for (place, digits) in
            [(1, century), (3, year), (6, month), (9, day), (12, hour), (15, minute), (18, second)]
        {
            text[place..place + 2].copy_from_slice(&digits);
        }
        writer.bytes(&text);
        fraction::write(nanos, writer);
        writer.raw("Z\"");
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let at = reader.position();
        // No writer escapes anything in it, so that it can be read where it stands.
        if let Some(value) = reader.plain_string(parse) {
            *self = value;
            return Ok(());
        }
        let text = reader.string()?;
        *self = whole(&text)
            .ok_or_else(|| reader.wrong(at, "expected a time such as 2006-01-02T15:04:05.999Z"))?;
        Ok(())
    }
}

/// The time that a text is: one with escapes, or a wrong one.
#[cold]
fn whole(text: &str) -> Option<Timestamp> {
    let (value, rest) = parse(text.as_bytes())?;
    rest.is_empty().then_some(value)
}

/// The digits of a number below 100.
fn two_digits(number: i32) -> [u8; 2] {
    let digit = |value: i32| b'0' + u8::try_from(value % 10).unwrap_or_default();
    [digit(number / 10), digit(number)]
}

/// Reads a time, and gives what follows it.
#[inline(always)]
fn parse(text: &[u8]) -> Option<(Timestamp, &[u8])> {
    const YEAR_MONTH: Pattern = Pattern::new(b"0000-00-");
    const MONTH_TO_HOUR: Pattern = Pattern::new(b"00-00T00");
    const TIME: Pattern = Pattern::new(b"00:00:00");
    let [y1, y2, y3, y4, ..] = YEAR_MONTH.digits(text.first_chunk()?)?;
    let [m1, m2, _, d1, d2, ..] = MONTH_TO_HOUR.digits(text.get(5..)?.first_chunk()?)?;
    let (clock, rest) = text.get(11..)?.split_first_chunk()?;
    let [h1, h2, _, n1, n2, _, s1, s2] = TIME.digits(clock)?;
    let date = Date {
        year: number(y1, y2) * 100 + number(y3, y4),
        month: number(m1, m2),
        day: number(d1, d2),
    };
    let (hour, minute, second) = (number(h1, h2), number(n1, n2), number(s1, s2));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, rest) = match rest {
        [b'.', decimals @ ..] => fraction::parse(decimals)?,
        _ => (0, rest),
    };
    let (offset, rest) = match rest {
        [b'Z', rest @ ..] => (0, rest),
        _ => offset(rest)?,
    };
    let time = hour * 3_600 + minute * 60 + second - offset;
    let seconds = i64::from(date.days()?) * 86_400 + i64::from(time);
    SECONDS.contains(&seconds).then_some((Timestamp { seconds, nanos }, rest))
}

/// Reads seconds east of Greenwich: `+01:00`, `-05:30`.
#[cold]
fn offset(zone: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, rest) = match zone {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let ([h1, h2, b':', m1, m2], rest) = rest.split_first_chunk()? else { return None };
    let digit = fraction::digit;
    let hours = digit(h1)? * 10 + digit(h2)?;
    let minutes = digit(m1)? * 10 + digit(m2)?;
    (hours <= 23 && minutes <= 59).then_some((sign * (hours * 3_600 + minutes * 60), rest))
}

fn number(tens: u8, ones: u8) -> i32 {
    i32::from(tens) * 10 + i32::from(ones)
}

/// Eight bytes, each of them either a digit or a certain mark.
struct Pattern {
    /// What the bytes are at least: `0`, or the mark.
    lowest: u64,
    /// What must be added to the difference for the high bit to tell that it is too large:
    /// above 9, or at a mark above 0.
    slack: u64,
}

impl Pattern {
    /// A pattern with `0` for every digit.
    const fn new(text: &[u8; 8]) -> Self {
        let mut slack = [0x7f; 8];
        let mut place = 0;
        while place < 8 {
            if text[place] == b'0' {
                slack[place] = 0x7f - 9;
            }
            place += 1;
        }
        Self { lowest: u64::from_le_bytes(*text), slack: u64::from_le_bytes(slack) }
    }

    /// The values of the digits, all looked at together.
    #[inline]
    fn digits(&self, text: &[u8; 8]) -> Option<[u8; 8]> {
        // Digits and `0` differ in the low four bits alone, by the value.
        let values = u64::from_le_bytes(*text) ^ self.lowest;
        let wrong = (values.wrapping_add(self.slack) | values) & 0x8080_8080_8080_8080;
        (wrong == 0).then_some(values.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn every_byte_of_a_pattern_counts() {
        let pattern = Pattern::new(b"00:00T0-");
        assert_eq!(pattern.digits(b"12:34T9-"), Some([1, 2, 0, 3, 4, 0, 9, 0]));
        for place in 0..8 {
            for byte in 0..=255 {
                let mut text = *b"99:00T5-";
                let fits = byte == text[place]
                    || (text[place].is_ascii_digit() && u8::is_ascii_digit(&byte));
                text[place] = byte;
                assert_eq!(pattern.digits(&text).is_some(), fits, "{byte} at {place}");
            }
        }
    }
}
