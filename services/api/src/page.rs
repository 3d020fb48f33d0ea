//! Pages by key: a token names the last row of a page, so that rows which come or go in between
//! neither repeat nor hide others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use treaty_error::Error;

const DEFAULT_SIZE: i64 = 100;
const MAX_SIZE: i64 = 1000;

/// Rows a page, as a request asks for it: the default for 0, and no more than the most. The
/// contract has refused what is negative.
#[must_use]
pub fn size(requested: i32) -> i64 {
    match requested {
        0 => DEFAULT_SIZE,
        size => i64::from(size).clamp(1, MAX_SIZE),
    }
}

/// The place after which a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<const N: usize> {
    /// First part of the order.
    pub time: DateTime<Utc>,
    /// Second part, which tells rows of the same time apart.
    pub id: [u8; N],
}

impl<const N: usize> Key<N> {
    /// The token of this place.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(8 + N);
        bytes.extend(self.time.timestamp_micros().to_be_bytes());
        bytes.extend(self.id);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a token names; `None` for an empty token, which asks for the first page.
    ///
    /// # Errors
    /// When we have not made the token.
    pub fn decode(token: &str) -> Result<Option<Self>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        Self::decode_bytes(token).map(Some).ok_or_else(|| {
            Error::invalid_field("page_token", "is no token of this list; leave it empty to start")
        })
    }

    fn decode_bytes(token: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (time, id) = bytes.split_first_chunk::<8>()?;
        let time = DateTime::from_timestamp_micros(i64::from_be_bytes(*time))?;
        Some(Self { time, id: id.try_into().ok()? })
    }
}

/// Cuts the row that was read beyond the page, and gives the token when there was one.
pub fn cut<T, const N: usize>(
    rows: &mut Vec<T>,
    size: i64,
    key: impl Fn(&T) -> Key<N>,
) -> Option<Key<N>> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if rows.len() <= size {
        return None;
    }
    rows.truncate(size);
    rows.last().map(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_strange_ones_are_refused() {
        let time = DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
        let key = Key { time, id: 42_i64.to_be_bytes() };
        assert_eq!(Key::decode(&key.encode()).unwrap(), Some(key));
        assert_eq!(Key::<8>::decode("").unwrap(), None);
        for strange in ["x", "====", "AAAA", "not a token", &format!("{}AA", key.encode())] {
            let error = Key::<8>::decode(strange).unwrap_err();
            assert_eq!(error.violations()[0].field, "page_token", "{strange}");
        }
        assert!(Key::<16>::decode(&key.encode()).is_err(), "a token of another list");
    }

    #[test]
    fn sizes_have_a_default_and_a_limit() {
        assert_eq!(size(0), 100);
        assert_eq!(size(7), 7);
        assert_eq!(size(5000), 1000);
    }

    #[test]
    fn only_a_longer_answer_has_a_next_page() {
        let key = |row: &i64| Key { time: DateTime::UNIX_EPOCH, id: row.to_be_bytes() };
        let mut rows = vec![1, 2, 3];
        assert_eq!(cut(&mut rows, 3, key), None);
        assert_eq!(cut(&mut rows, 2, key), Some(key(&2)));
        assert_eq!(rows, [1, 2]);
    }
}
