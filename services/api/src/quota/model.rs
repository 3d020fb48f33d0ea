use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// What can be set about the quota.
#[derive(Clone, Copy, Debug)]
pub struct QuotaSettings {
    /// Length of the short window. Strava's is a quarter of an hour; a simulator's may be shorter.
    pub window: TimeDelta,
    /// Length of the long window. Strava's is a day.
    pub day: TimeDelta,
    /// Time before and after each turn of a window in which nobody calls, because Strava's clock
    /// is not ours.
    pub margin: TimeDelta,
    /// Share of each limit, in percent, that is kept for interactive calls.
    pub reserve_percent: u32,
    /// How long others wait for the answer to the first call of a window.
    pub probe_patience: TimeDelta,
    /// The same after a refusal. Longer than any call may take, so that there is one probe.
    pub wary_patience: TimeDelta,
}

/// Calls in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Calls that Strava allows.
    pub limit: i64,
    /// Calls that count already.
    pub used: i64,
}

/// Calls in each window, `C` being what is known of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts<C = Count> {
    /// All calls in the quarter of an hour.
    pub window: C,
    /// All calls in the day.
    pub day: C,
    /// Reads in the quarter of an hour.
    pub read_window: C,
    /// Reads in the day.
    pub read_day: C,
}

/// All that is known of the quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaState {
    /// When the quarter of an hour began.
    pub window_started_at: DateTime<Utc>,
    /// When the day began.
    pub day_started_at: DateTime<Utc>,
    /// Calls that are allowed, and those that are reserved or made.
    pub counts: Counts,
    /// Whether Strava has answered a call in this window.
    pub answered: bool,
    /// Until when the answer to the first call of this window is awaited.
    pub probed_until: Option<DateTime<Utc>>,
    /// Whether the last that was heard of Strava is a refusal.
    pub refused: bool,
    /// Until when nobody calls, because Strava refused a call.
    pub closed_until: Option<DateTime<Utc>>,
}

/// How urgent calls are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Somebody waits; may use all of the quota.
    Interactive,
    /// Nobody waits; leaves the reserve.
    Background,
}

/// What a process asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How urgent the calls are.
    pub priority: Priority,
    /// Calls that are wanted, at most.
    pub calls: i64,
}

/// What the headers of one answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The window that the call was made in.
    pub window_started_at: DateTime<Utc>,
    /// Counts, as far as the headers told them.
    pub counts: Counts<Option<Count>>,
    /// Whether Strava refused the call.
    pub refused: bool,
}

/// What a process gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// Calls.
    Granted {
        /// How many.
        calls: i64,
        /// How long they may be begun.
        valid_for: Duration,
        /// Whether everybody waits for this one call.
        probe: bool,
    },
    /// None for now.
    Wait {
        /// Why.
        reason: WaitReason,
        /// How long at least.
        retry_after: Duration,
    },
}

/// Why there are no calls to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// A window is spent.
    Spent,
    /// What is left is kept for interactive calls.
    Reserved,
    /// Strava refused a call.
    Refused,
    /// The answer to the first call of the window is awaited.
    Probed,
    /// The windows are just turning.
    Turning,
}
