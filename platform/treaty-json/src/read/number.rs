//! Numbers: integers exactly, floats correctly rounded.

use super::Reader;
use crate::Error;

/// A whole number: its sign and its magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    pub(crate) negative: bool,
    pub(crate) magnitude: u64,
}

impl Integer {
    /// It as a type that may be too small for it.
    pub(crate) fn narrow<T: TryFrom<i128>>(self) -> Option<T> {
        let magnitude = i128::from(self.magnitude);
        T::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// Parses a number as JSON writes it. `1e5` and `100.00` are whole too.
    pub(crate) fn parse(text: &str) -> Result<Self, NotInteger> {
        match number_end(text.as_bytes(), 0) {
            Some(end) if end == text.len() => exact(text),
            _ => Err(NotInteger::NoNumber),
        }
    }
}

/// Why a text is no whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotInteger {
    NoNumber,
    Fraction,
    TooLarge,
}

impl NotInteger {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::NoNumber => "expected a number",
            Self::Fraction => "expected a whole number",
            Self::TooLarge => "the number is out of range",
        }
    }
}

impl<'a> Reader<'a> {
    /// Reads a whole number, bare or quoted.
    #[inline]
    pub(crate) fn integer(&mut self) -> Result<Integer, Error> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => {}
            Some(b'"') => {
                let start = self.at;
                let text = self.quoted()?;
                return match short(text.as_bytes(), 0) {
                    Some((integer, end)) if end == text.len() => Ok(integer),
                    _ => Integer::parse(&text).map_err(|why| self.wrong(start, why.describe())),
                };
            }
            _ => return Err(self.expected("a number")),
        }
        if let Some((integer, end)) = short(self.text.as_bytes(), self.at) {
            self.at = end;
            return Ok(integer);
        }
        let start = self.at;
        let text = self.number()?;
        exact(text).map_err(|why| self.wrong(start, why.describe()))
    }

    /// Takes the number that is next, as its text.
    pub(crate) fn number(&mut self) -> Result<&'a str, Error> {
        let start = self.at;
        match number_end(self.text.as_bytes(), start) {
            Some(end) => {
                self.at = end;
                Ok(self.slice(start, end))
            }
            None => Err(self.syntax("not a number as JSON writes it")),
        }
    }

    /// The text of a float, bare or quoted; whether it was quoted; and where it began.
    #[inline]
    pub(crate) fn float(&mut self) -> Result<(std::borrow::Cow<'a, str>, bool, usize), Error> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                Ok((self.number()?.into(), false, start))
            }
            Some(b'"') => {
                let start = self.at;
                Ok((self.quoted()?, true, start))
            }
            _ => Err(self.expected("a number")),
        }
    }
}

/// A whole number of at most 18 digits without fraction and exponent, with its end.
#[inline]
fn short(bytes: &[u8], start: usize) -> Option<(Integer, usize)> {
    let negative = bytes.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let mut at = first;
    let mut magnitude = 0_u64;
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|d| *d < 10) {
        magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    let length = at - first;
    let has_leading_zero = length > 1 && bytes.get(first) == Some(&b'0');
    let goes_on = matches!(bytes.get(at), Some(b'.' | b'e' | b'E'));
    let is_short = (1..=18).contains(&length) && !has_leading_zero && !goes_on;
    is_short.then_some((Integer { negative, magnitude }, at))
}

/// Where the number that begins at `at` ends, by the grammar of RFC 8259, section 6.
pub(crate) fn number_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    at += usize::from(bytes.get(at) == Some(&b'-'));
    let whole = digits(at);
    if whole == at || (bytes.get(at) == Some(&b'0') && whole > at + 1) {
        return None;
    }
    at = whole;
    if bytes.get(at) == Some(&b'.') {
        let end = digits(at + 1);
        if end == at + 1 {
            return None;
        }
        at = end;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let end = digits(at + 1 + sign);
        if end == at + 1 + sign {
            return None;
        }
        at = end;
    }
    Some(at)
}

/// The value of a text that [`number_end`] accepted, if it is whole.
fn exact(text: &str) -> Result<Integer, NotInteger> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let zeros = digits().rev().take_while(|digit| *digit == b'0').count();
    let significant = whole.len() + fraction.len() - zeros;
    if significant == 0 {
        return Ok(Integer { negative, magnitude: 0 });
    }
    // An exponent that no 64 bits hold is far out of range, one way or the other.
    let is_small = exponent.starts_with('-');
    let exponent: i64 = exponent.parse().unwrap_or(if is_small { i64::MIN } else { i64::MAX });
    let shift = exponent
        .saturating_sub(i64::try_from(fraction.len()).unwrap_or(i64::MAX))
        .saturating_add(i64::try_from(zeros).unwrap_or(i64::MAX));
    let factor = match u32::try_from(shift) {
        Ok(shift) => 10_u64.checked_pow(shift).ok_or(NotInteger::TooLarge)?,
        Err(_) if shift < 0 => return Err(NotInteger::Fraction),
        Err(_) => return Err(NotInteger::TooLarge),
    };
    digits()
        .take(significant)
        .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .and_then(|mantissa| mantissa.checked_mul(factor))
        .map(|magnitude| Integer { negative, magnitude })
        .ok_or(NotInteger::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<i128, NotInteger> {
        Integer::parse(text).map(|integer| integer.narrow::<i128>().unwrap())
    }

    #[test]
    fn whole_numbers_have_many_spellings() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("1e5", 100_000),
            ("1E+5", 100_000),
            ("100000.000", 100_000),
            ("-1.5e1", -15),
            ("1000e-3", 1),
            ("0e999999999999999999999", 0),
            ("0.000", 0),
            ("18446744073709551615", u64::MAX.into()),
            ("1844674407370955161500e-2", u64::MAX.into()),
            ("-9223372036854775808", i64::MIN.into()),
        ] {
            assert_eq!(whole(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn other_texts_say_what_they_are() {
        for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", " 1", "1 ", "0x1", "NaN"] {
            assert_eq!(whole(text), Err(NotInteger::NoNumber), "{text}");
        }
        for text in ["0.5", "1e-1", "123e-3", "1e-99999999999999999999"] {
            assert_eq!(whole(text), Err(NotInteger::Fraction), "{text}");
        }
        for text in ["18446744073709551616", "1e20", "1e999999999999999999999"] {
            assert_eq!(whole(text), Err(NotInteger::TooLarge), "{text}");
        }
    }
}
