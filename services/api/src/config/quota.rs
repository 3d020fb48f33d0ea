//! Strava's quota.

use chrono::TimeDelta;
use serde::Deserialize;

use super::{Problem, unmet};
use crate::quota::QuotaSettings;

/// Strava's quota, shared by all processes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaConfig {
    /// Share of each limit, in percent, that is kept for what somebody waits for; at most 90.
    pub reserve_percent: u32,
    /// Milliseconds before and after each turn of a window in which nobody calls, because Strava's
    /// clock is not ours.
    pub margin_milliseconds: u32,
    /// Length of the short window in seconds. Strava's is 900; shorter is for a simulator.
    pub window_seconds: u32,
    /// Length of the long window in seconds. Strava's is 86400; shorter is for a simulator.
    pub day_seconds: u32,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            reserve_percent: 10,
            margin_milliseconds: 2_000,
            window_seconds: 900,
            day_seconds: 86_400,
        }
    }
}

impl QuotaConfig {
    /// How long others wait for the first answer of a window.
    const PROBE_PATIENCE: TimeDelta = TimeDelta::seconds(2);
    /// The same after a refusal: longer than a call with all its repeats.
    const WARY_PATIENCE: TimeDelta = TimeDelta::seconds(120);

    /// What the rules need.
    #[must_use]
    pub fn settings(&self) -> QuotaSettings {
        QuotaSettings {
            window: TimeDelta::seconds(self.window_seconds.into()),
            day: TimeDelta::seconds(self.day_seconds.into()),
            margin: TimeDelta::milliseconds(self.margin_milliseconds.into()),
            reserve_percent: self.reserve_percent,
            probe_patience: Self::PROBE_PATIENCE,
            wary_patience: Self::WARY_PATIENCE,
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let Self { reserve_percent, margin_milliseconds, window_seconds, day_seconds } = *self;
        // Two margins and something between them.
        let margins = u64::from(margin_milliseconds) * 2;
        unmet([
            (reserve_percent <= 90, "quota.reserve_percent", "at most 90"),
            (window_seconds > 0, "quota.window_seconds", "at least 1"),
            (
                margins < u64::from(window_seconds) * 1000,
                "quota.margin_milliseconds",
                "less than half of quota.window_seconds",
            ),
            (
                day_seconds > 0 && day_seconds.checked_rem(window_seconds) == Some(0),
                "quota.day_seconds",
                "a multiple of quota.window_seconds",
            ),
        ])
    }
}
