//! The application's quota: fixed windows, counted together and for reads alone.

use std::collections::VecDeque;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::config::{QuotaWindows, RateLimits};
use crate::params::Params;
use crate::reply::Refusal;
use crate::state::Shared;

/// Windows that are remembered for the control surface.
const REMEMBERED: usize = 1_000;

/// What the application has used of its quota.
#[derive(Debug)]
pub(crate) struct Quota {
    limits: RateLimits,
    quarter_hour: Window,
    day: Window,
    past: VecDeque<WindowRecord>,
}

/// What a quarter of an hour came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct WindowRecord {
    /// When it began, in seconds since the epoch.
    began: i64,
    /// Calls, the refused ones included.
    calls: u64,
    /// Calls that were refused.
    refused: u64,
}

/// One fixed window and what was used in it.
#[derive(Debug)]
struct Window {
    length: i64,
    index: i64,
    all: u64,
    reads: u64,
}

impl Window {
    fn new(length: i64) -> Self {
        Self { length, index: i64::MIN, all: 0, reads: 0 }
    }

    fn count(&mut self, now: i64, is_read: bool) {
        // Windows stand on the clock, not on the first request: :00, :15, :30, :45 and midnight UTC.
        let index = now.div_euclid(self.length);
        if index != self.index {
            (self.index, self.all, self.reads) = (index, 0, 0);
        }
        self.all += 1;
        self.reads += u64::from(is_read);
    }
}

/// What a request's charge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    limits: RateLimits,
    all: (u64, u64),
    reads: (u64, u64),
    is_read: bool,
    /// Refused whatever the counts.
    pinned: bool,
}

impl Quota {
    pub(crate) fn new(limits: RateLimits, windows: QuotaWindows) -> Self {
        let (quarter_hour, day) =
            (Window::new(windows.quarter_hour_seconds), Window::new(windows.day_seconds));
        Self { limits, quarter_hour, day, past: VecDeque::new() }
    }

    /// The windows in which there were calls, the current one last.
    pub(crate) fn windows(&self) -> Vec<WindowRecord> {
        self.past.iter().copied().collect()
    }

    /// Counts a request, which counts even when it is then refused.
    pub(crate) fn charge(&mut self, now: i64, is_read: bool, pinned: bool) -> Charge {
        self.quarter_hour.count(now, is_read);
        self.day.count(now, is_read);
        let charge = self.charged(is_read, pinned);
        self.remember(charge.exceeded().is_some());
        charge
    }

    fn charged(&self, is_read: bool, pinned: bool) -> Charge {
        Charge {
            pinned,
            limits: self.limits,
            all: (self.quarter_hour.all, self.day.all),
            reads: (self.quarter_hour.reads, self.day.reads),
            is_read,
        }
    }

    fn remember(&mut self, refused: bool) {
        let began = self.quarter_hour.index * self.quarter_hour.length;
        if self.past.back().is_none_or(|last| last.began != began) {
            self.past.push_back(WindowRecord { began, ..WindowRecord::default() });
            if self.past.len() > REMEMBERED {
                self.past.pop_front();
            }
        }
        if let Some(current) = self.past.back_mut() {
            current.calls += 1;
            current.refused += u64::from(refused);
        }
    }
}

impl Charge {
    /// Which limit the request went past, if any.
    fn exceeded(&self) -> Option<&'static str> {
        let RateLimits { quarter_hour, daily, read_quarter_hour, read_daily } = self.limits;
        if self.all.0 > quarter_hour || self.all.1 > daily {
            Some("rate limit")
        } else if self.is_read && (self.reads.0 > read_quarter_hour || self.reads.1 > read_daily) {
            Some("read rate limit")
        } else {
            self.pinned.then_some("rate limit")
        }
    }

    fn write_headers(&self, headers: &mut HeaderMap) {
        let limits = self.limits;
        let pairs = [
            ("x-ratelimit-limit", (limits.quarter_hour, limits.daily)),
            ("x-ratelimit-usage", self.all),
            ("x-readratelimit-limit", (limits.read_quarter_hour, limits.read_daily)),
            ("x-readratelimit-usage", self.reads),
        ];
        for (name, (quarter_hour, day)) in pairs {
            if let Ok(value) = HeaderValue::from_str(&format!("{quarter_hour},{day}")) {
                headers.insert(name, value);
            }
        }
    }
}

/// Finds the session behind the access token, charges the request to the quota and reports it.
///
/// A request without a valid token belongs to no application, so it is not counted.
pub(crate) async fn meter(State(sim): State<Shared>, mut request: Request, next: Next) -> Response {
    let now = sim.now();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let (session, charge) = {
        let mut state = sim.lock();
        let session = access_token(&request).and_then(|t| state.grants.session(&t, now));
        let Some(session) = session else {
            return Refusal::invalid_access_token().into_response();
        };
        let pinned = state.faults.rate_limited(now);
        (session, state.quota.charge(now, is_read, pinned))
    };
    let mut response = if let Some(field) = charge.exceeded() {
        Refusal::rate_limited(field).into_response()
    } else {
        request.extensions_mut().insert(session);
        next.run(request).await
    };
    charge.write_headers(response.headers_mut());
    response
}

/// The token from the header, or from the query as Strava also allows.
fn access_token(request: &Request) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match header {
        Some(value) => {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        }
        None => {
            Params::from_query(request.uri().query()).get("access_token").map(ToOwned::to_owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RateLimits =
        RateLimits { quarter_hour: 4, daily: 6, read_quarter_hour: 2, read_daily: 5 };
    /// A midnight, so a window's start of both kinds.
    const MIDNIGHT: i64 = 1_767_225_600;
    const DAY: i64 = 86_400;

    #[test]
    fn reads_run_out_before_writes() {
        let mut quota = Quota::new(LIMITS, QuotaWindows::default());
        assert_eq!(quota.charge(MIDNIGHT, true, false).exceeded(), None);
        assert_eq!(quota.charge(MIDNIGHT, true, false).exceeded(), None);
        assert_eq!(quota.charge(MIDNIGHT, true, false).exceeded(), Some("read rate limit"));
        assert_eq!(quota.charge(MIDNIGHT, false, false).exceeded(), None);
        assert_eq!(quota.charge(MIDNIGHT, false, false).exceeded(), Some("rate limit"));
    }

    #[test]
    fn the_window_turns_on_the_quarter_hour_and_refused_calls_count_for_the_day() {
        let mut quota = Quota::new(LIMITS, QuotaWindows::default());
        for _ in 0..5 {
            quota.charge(MIDNIGHT + 899, false, false);
        }
        let next_window = quota.charge(MIDNIGHT + 900, false, false);
        assert_eq!(next_window.all, (1, 6));
        assert_eq!(next_window.exceeded(), None);
        assert_eq!(quota.charge(MIDNIGHT + 901, false, false).exceeded(), Some("rate limit"));
        assert_eq!(quota.charge(MIDNIGHT + DAY, false, false).all, (1, 1));
    }
    #[test]
    fn short_windows_turn_sooner_and_are_remembered() {
        let windows = QuotaWindows { quarter_hour_seconds: 5, day_seconds: 60 };
        let mut quota = Quota::new(LIMITS, windows);
        for second in 0..3 {
            quota.charge(MIDNIGHT + second, true, false);
        }
        assert_eq!(quota.charge(MIDNIGHT + 5, true, false).exceeded(), None);
        assert_eq!(quota.charge(MIDNIGHT + 6, true, true).exceeded(), Some("rate limit"));
        assert_eq!(
            quota.windows(),
            [
                WindowRecord { began: MIDNIGHT, calls: 3, refused: 1 },
                WindowRecord { began: MIDNIGHT + 5, calls: 2, refused: 1 },
            ]
        );
    }
}
