//! What the headers of an answer say of the quota.

use consumer_port::quota_v1::{CallCount, Usage};
use consumer_port::well_known::Timestamp;
use reqwest::header::HeaderMap;

/// What an answer to a call of the window that began at this time says. Headers that are missing or
/// strange tell nothing.
pub(super) fn usage(headers: &HeaderMap, window_start_time: Timestamp, refused: bool) -> Usage {
    let (window, day) = counts(headers, "x-ratelimit-limit", "x-ratelimit-usage");
    let (read_window, read_day) = counts(headers, "x-readratelimit-limit", "x-readratelimit-usage");
    Usage {
        window_start_time: Some(window_start_time),
        window,
        day,
        read_window,
        read_day,
        refused,
    }
}

fn counts(headers: &HeaderMap, limit: &str, used: &str) -> (Option<CallCount>, Option<CallCount>) {
    let (Some(limit), Some(used)) = (pair(headers, limit), pair(headers, used)) else {
        return (None, None);
    };
    let count = |limit, used| Some(CallCount { limit, used });
    (count(limit.0, used.0), count(limit.1, used.1))
}

/// Two numbers: of the quarter of an hour and of the day.
fn pair(headers: &HeaderMap, name: &str) -> Option<(i64, i64)> {
    let (window, day) = headers.get(name)?.to_str().ok()?.split_once(',')?;
    let number = |text: &str| text.trim().parse().ok().filter(|number| *number >= 0);
    Some((number(window)?, number(day)?))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const LIMIT: (&str, &str) = ("x-ratelimit-limit", "200,2000");
    const USED: (&str, &str) = ("x-ratelimit-usage", "7, 300");
    const READ_LIMIT: (&str, &str) = ("x-readratelimit-limit", "100,1000");

    fn read(pairs: &[(&'static str, &'static str)]) -> Usage {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        usage(&pairs.iter().map(header).collect(), Timestamp::default(), false)
    }

    #[test]
    fn each_pair_of_headers_tells_two_counts() {
        let told = read(&[LIMIT, USED, READ_LIMIT, ("x-readratelimit-usage", "5,6")]);
        assert_eq!(told.window, Some(CallCount { limit: 200, used: 7 }));
        assert_eq!(told.day, Some(CallCount { limit: 2_000, used: 300 }));
        assert_eq!(told.read_window, Some(CallCount { limit: 100, used: 5 }));
        assert_eq!(told.read_day, Some(CallCount { limit: 1_000, used: 6 }));
    }

    #[test]
    fn what_is_missing_or_strange_tells_nothing() {
        assert_eq!(read(&[LIMIT]).window, None);
        for strange in ["", "7", "7;300", "7,x", "-7,300", "7,99999999999999999999", "7,300,1"] {
            let told = read(&[LIMIT, ("x-ratelimit-usage", strange)]);
            assert_eq!((told.window, told.day), (None, None), "{strange}");
        }
        let told = read(&[LIMIT, USED, READ_LIMIT]);
        assert!(told.window.is_some() && told.read_window.is_none());
    }
}
