//! Times and spans of time.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::{Error, Result};

const NANOS: i128 = 1_000_000_000;

/// A span of time; `google.protobuf.Duration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i128);

/// A point in time; `google.protobuf.Timestamp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i128);

impl Duration {
    /// Whole seconds and nanoseconds, of the same sign.
    #[must_use]
    pub const fn new(seconds: i64, nanos: i32) -> Self {
        Self(seconds as i128 * NANOS + nanos as i128)
    }

    /// `duration(text)`, for example `1h30m` or `1.5s`.
    ///
    /// # Errors
    /// The text is no duration.
    pub fn parse(text: &str) -> Result<Self> {
        let (sign, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let failed = Error::Conversion("duration");
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(failed);
        }
        let mut total = 0_i128;
        while !rest.is_empty() {
            let (part, after) = span(rest).ok_or_else(|| failed.clone())?;
            total = total.checked_add(part).ok_or(Error::Overflow)?;
            rest = after;
        }
        Ok(Self(sign * total))
    }

    pub(super) fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub(super) fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Whole units of so many nanoseconds, rounded towards zero.
    fn whole(self, unit: i128) -> i64 {
        i64::try_from(self.0 / unit).unwrap_or(i64::MAX)
    }

    /// `getHours()`
    #[must_use]
    pub fn hours(self) -> i64 {
        self.whole(3600 * NANOS)
    }

    /// `getMinutes()`
    #[must_use]
    pub fn minutes(self) -> i64 {
        self.whole(60 * NANOS)
    }

    /// `getSeconds()`
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.whole(NANOS)
    }

    /// `getMilliseconds()`: the part below a second.
    #[must_use]
    pub fn milliseconds(self) -> i64 {
        Self(self.0 % NANOS).whole(NANOS / 1000)
    }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn span(text: &str) -> Option<(i128, &str)> {
    const UNITS: [(&str, i128); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("s", NANOS),
        ("m", 60 * NANOS),
        ("h", 3600 * NANOS),
    ];
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(end);
    let (name, unit) = UNITS.iter().find(|(name, _)| rest.starts_with(name))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits = &fraction[..fraction.len().min(18)];
    let fraction: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let scale = 10_i128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    Some((whole.checked_mul(*unit)? + fraction * unit / scale, &rest[name.len()..]))
}

impl From<&prost_types::Duration> for Duration {
    #[inline]
    fn from(value: &prost_types::Duration) -> Self {
        Self::new(value.seconds, value.nanos)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal(f, self.0)?;
        f.write_str("s")
    }
}

/// Nanoseconds as seconds, without trailing zeros.
fn decimal(f: &mut fmt::Formatter<'_>, nanos: i128) -> fmt::Result {
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let billion = NANOS.unsigned_abs();
    write!(f, "{sign}{}", nanos / billion)?;
    match nanos % billion {
        0 => Ok(()),
        rest => write!(f, ".{}", format!("{rest:09}").trim_end_matches('0')),
    }
}

impl Timestamp {
    /// Seconds since 1970 and nanoseconds after them.
    #[must_use]
    pub const fn new(seconds: i64, nanos: i32) -> Self {
        Self(seconds as i128 * NANOS + nanos as i128)
    }

    /// The clock's time.
    #[must_use]
    pub fn now() -> Self {
        let since = |span: std::time::Duration| i128::try_from(span.as_nanos()).unwrap_or(0);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => Self(since(after)),
            Err(before) => Self(-since(before.duration())),
        }
    }

    /// `timestamp(text)`, in the form of RFC 3339.
    ///
    /// # Errors
    /// The text is no such time.
    pub fn parse(text: &str) -> Result<Self> {
        let time =
            DateTime::parse_from_rfc3339(text).map_err(|_| Error::Conversion("timestamp"))?;
        Ok(Self(i128::from(time.timestamp()) * NANOS + i128::from(time.timestamp_subsec_nanos())))
    }

    pub(super) fn checked_add(self, span: Duration) -> Option<Self> {
        self.0.checked_add(span.0).map(Self)
    }

    pub(super) fn checked_sub(self, span: Duration) -> Option<Self> {
        self.0.checked_sub(span.0).map(Self)
    }

    /// The span from another time to this one.
    #[must_use]
    pub fn since(self, other: Self) -> Duration {
        Duration(self.0 - other.0)
    }

    /// The span between two times, whichever is first.
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        Duration((self.0 - other.0).abs())
    }

    /// `int(timestamp)`: seconds since 1970.
    #[must_use]
    pub fn unix(self) -> i64 {
        i64::try_from(self.0.div_euclid(NANOS)).unwrap_or(i64::MAX)
    }

    /// The calendar's view, in UTC.
    fn calendar(self) -> Result<DateTime<Utc>> {
        let nanos = u32::try_from(self.0.rem_euclid(NANOS)).unwrap_or(0);
        DateTime::from_timestamp(self.unix(), nanos).ok_or(Error::Overflow)
    }
}

macro_rules! calendar {
    ($($(#[$docs:meta])* $name:ident: $read:expr;)*) => {
        impl Timestamp {$(
            $(#[$docs])*
            ///
            /// # Errors
            /// The time is outside of the calendar.
            pub fn $name(self) -> Result<i64> {
                let read: fn(DateTime<Utc>) -> i64 = $read;
                self.calendar().map(read)
            }
        )*}
    };
}

calendar! {
    /// `getFullYear()`
    year: |time| i64::from(time.year());
    /// `getMonth()`, from 0.
    month: |time| i64::from(time.month0());
    /// `getDate()`: day of the month, from 1.
    date: |time| i64::from(time.day());
    /// `getDayOfMonth()`, from 0.
    day_of_month: |time| i64::from(time.day0());
    /// `getDayOfWeek()`, 0 is Sunday.
    day_of_week: |time| i64::from(time.weekday().num_days_from_sunday());
    /// `getDayOfYear()`, from 0.
    day_of_year: |time| i64::from(time.ordinal0());
    /// `getHours()`
    hours: |time| i64::from(time.hour());
    /// `getMinutes()`
    minutes: |time| i64::from(time.minute());
    /// `getSeconds()`
    seconds: |time| i64::from(time.second());
    /// `getMilliseconds()`
    milliseconds: |time| i64::from(time.nanosecond() / 1_000_000);
}

impl From<&prost_types::Timestamp> for Timestamp {
    #[inline]
    fn from(value: &prost_types::Timestamp) -> Self {
        Self::new(value.seconds, value.nanos)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.calendar() {
            Ok(time) => {
                let text = time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
                f.write_str(&text)
            }
            Err(_) => decimal(f, self.0),
        }
    }
}
