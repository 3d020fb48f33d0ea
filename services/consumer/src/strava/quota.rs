//! Strava's quota. It is the application's, in fixed windows, and refused calls count too: asking
//! on while it is spent makes it worse for everyone.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use tokio::time::Instant;

const QUARTER_HOUR: i64 = 15 * 60;
const DAY: i64 = 24 * 60 * 60;

/// Our clock may be a little ahead of Strava's.
const MARGIN: Duration = Duration::from_secs(2);

/// Header names of a limit and of its usage; each holds "quarter of an hour,day".
const HEADERS: [(&str, &str); 2] = [
    ("x-ratelimit-limit", "x-ratelimit-usage"),
    ("x-readratelimit-limit", "x-readratelimit-usage"),
];

/// Which windows are spent, as the headers of an answer tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    quarter_hour: bool,
    day: bool,
}

impl Spent {
    /// Headers that are missing or strange tell nothing.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut spent = Self::default();
        for (limit, usage) in HEADERS {
            if let (Some(limit), Some(usage)) = (pair(headers, limit), pair(headers, usage)) {
                spent.quarter_hour |= usage.0 >= limit.0;
                spent.day |= usage.1 >= limit.1;
            }
        }
        spent
    }

    /// How long until the windows that are spent have turned; `None` when none is.
    pub(super) fn wait(self, now: DateTime<Utc>) -> Option<Duration> {
        if self.day {
            Some(until_next(now, DAY))
        } else {
            self.quarter_hour.then(|| until_next(now, QUARTER_HOUR))
        }
    }

    /// As [`wait`](Self::wait), for an answer that was refused: when the headers do not tell which
    /// window is spent, it is the shorter one.
    pub(super) fn wait_after_refusal(self, now: DateTime<Utc>) -> Duration {
        self.wait(now).unwrap_or_else(|| until_next(now, QUARTER_HOUR))
    }
}

fn pair(headers: &HeaderMap, name: &str) -> Option<(u64, u64)> {
    let (quarter_hour, day) = headers.get(name)?.to_str().ok()?.split_once(',')?;
    Some((quarter_hour.trim().parse().ok()?, day.trim().parse().ok()?))
}

/// Windows stand on the clock: :00, :15, :30, :45, and midnight UTC.
fn until_next(now: DateTime<Utc>, window: i64) -> Duration {
    let left = window - now.timestamp().rem_euclid(window);
    Duration::from_secs(left.unsigned_abs()) + MARGIN
}

/// Stays closed while the quota is spent, for all jobs of this process.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed_until: Mutex<Option<Instant>>,
}

impl Gate {
    /// Closes it for a while; a later end stays.
    pub(super) fn close_for(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait);
        let mut closed_until = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        *closed_until = (*closed_until).max(until);
    }

    /// How long it stays closed; `None` when it is open.
    pub(super) fn closed_for(&self) -> Option<Duration> {
        let closed_until = *self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        closed_until?.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(header).collect()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_headers_tell_which_window_is_spent() {
        let limit = ("x-ratelimit-limit", "200,2000");
        let reads = ("x-readratelimit-limit", "100,1000");
        let read = |usage, read_usage| {
            let usage = ("x-ratelimit-usage", usage);
            let read_usage = ("x-readratelimit-usage", read_usage);
            let spent = Spent::read(&headers(&[limit, usage, reads, read_usage]));
            (spent.quarter_hour, spent.day)
        };
        assert_eq!(read("199,1999", "99,999"), (false, false));
        assert_eq!(read("200,300", "1,1"), (true, false));
        assert_eq!(read("101,300", "101,300"), (true, false));
        assert_eq!(read("5,1001", "5,1001"), (false, true));
        assert_eq!(read("x", "101"), (false, false));
        assert_eq!(Spent::read(&HeaderMap::new()), Spent::default());
    }

    #[test]
    fn waits_end_with_the_window() {
        let quarter_hour = Spent { quarter_hour: true, day: false };
        let both = Spent { quarter_hour: true, day: true };
        let now = at("2026-03-01T23:14:50Z");
        assert_eq!(quarter_hour.wait(now), Some(Duration::from_secs(10) + MARGIN));
        assert_eq!(both.wait(now), Some(Duration::from_secs(45 * 60 + 10) + MARGIN));
        assert_eq!(Spent::default().wait(now), None);
        let unknown = Spent::default().wait_after_refusal(at("2026-03-01T12:00:00Z"));
        assert_eq!(unknown, Duration::from_secs(900) + MARGIN);
    }

    #[tokio::test(start_paused = true)]
    async fn the_later_end_of_the_gate_stays() {
        let gate = Gate::default();
        assert_eq!(gate.closed_for(), None);
        gate.close_for(Duration::from_secs(60));
        gate.close_for(Duration::from_secs(10));
        assert_eq!(gate.closed_for(), Some(Duration::from_secs(60)));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(gate.closed_for(), None);
    }
}
