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
        let date = Date::of_days(self.seconds.div_euclid(86_400));
        let time = self.seconds.rem_euclid(86_400);
        writer.raw("\"");
        for (number, width, separator) in [
            (date.year, 4, "-"),
            (date.month, 2, "-"),
            (date.day, 2, "T"),
            (time / 3_600, 2, ":"),
            (time / 60 % 60, 2, ":"),
            (time % 60, 2, ""),
        ] {
            fraction::digits(number.unsigned_abs(), width, writer);
            writer.raw(separator);
        }
        fraction::write(nanos, writer);
        writer.raw("Z\"");
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let at = reader.position();
        let text = reader.string()?;
        *self = parse(&text)
            .ok_or_else(|| reader.wrong(at, "expected a time such as 2006-01-02T15:04:05.999Z"))?;
        Ok(())
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (head, mut rest) = text.split_at_checked(19)?;
    let head: &[u8; 19] = head.as_bytes().try_into().ok()?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !marks.into_iter().all(|(place, mark)| head[place] == mark) {
        return None;
    }
    let date = Date {
        year: number(head.get(..4)?)?,
        month: number(head.get(5..7)?)?,
        day: number(head.get(8..10)?)?,
    };
    let (hour, minute) = (number(head.get(11..13)?)?, number(head.get(14..16)?)?);
    let second = number(head.get(17..)?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut nanos = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let end = after.find(|character: char| !character.is_ascii_digit())?;
        let (digits, after) = after.split_at_checked(end)?;
        (nanos, rest) = (fraction::parse(digits)?, after);
    }
    let time = hour * 3_600 + minute * 60 + second;
    let seconds = date.days()? * 86_400 + time - offset(rest)?;
    SECONDS.contains(&seconds).then_some(Timestamp { seconds, nanos })
}

/// Seconds east of Greenwich: `Z`, `+01:00`, `-05:30`.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let [sign, h1, h2, b':', m1, m2] = text.as_bytes() else { return None };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3_600 + minutes * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    digits.iter().try_fold(0, |sum, byte| Some(sum * 10 + digit(byte)?))
}
