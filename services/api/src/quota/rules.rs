//! The rules of the quota, without a clock or a database.
//!
//! `used` grows with each reservation, and to Strava's own count where that is more: then somebody
//! else uses the same application. As a reservation counts before its call is made, our own calls
//! alone never pass a limit.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Asked, Count, Counts, Priority, QuotaSettings, QuotaState, Reservation, Usage, WaitReason,
};

/// One process may hold this share of what is left, unused, as a fraction 1/n.
const SHARE: i64 = 50;

/// How often those ask who wait for the answer to a probe.
const PROBE_POLL: Duration = Duration::from_millis(100);

impl<C> Counts<C> {
    /// Each count, and whether it is the day's.
    fn each(&mut self) -> [(&mut C, bool); 4] {
        [
            (&mut self.window, false),
            (&mut self.read_window, false),
            (&mut self.day, true),
            (&mut self.read_day, true),
        ]
    }
}

impl Count {
    /// Calls that are left to calls of this priority.
    fn left(self, priority: Priority, settings: &QuotaSettings) -> i64 {
        let kept = match priority {
            Priority::Interactive => 0,
            Priority::Background => {
                let percent = i128::from(self.limit) * i128::from(settings.reserve_percent) / 100;
                i64::try_from(percent).unwrap_or(self.limit)
            }
        };
        self.limit.saturating_sub(kept).saturating_sub(self.used)
    }

    fn is_spent(self) -> bool {
        self.used >= self.limit
    }
}

/// When the window of this length that holds `now` began. Windows stand on the clock, in UTC.
fn began(now: DateTime<Utc>, length: TimeDelta) -> DateTime<Utc> {
    let milliseconds = length.num_milliseconds().max(1);
    let into = now.timestamp_millis().rem_euclid(milliseconds);
    DateTime::from_timestamp_millis(now.timestamp_millis() - into).unwrap_or(now)
}

fn wait(until: DateTime<Utc>, now: DateTime<Utc>, reason: WaitReason) -> Reservation {
    let retry_after = (until - now).to_std().unwrap_or_default();
    Reservation::Wait { reason, retry_after }
}

impl QuotaState {
    /// Begins the windows anew that have ended by `now`. Time never runs back.
    pub(super) fn turn(&mut self, now: DateTime<Utc>, settings: &QuotaSettings) {
        let (window, day) = (began(now, settings.window), began(now, settings.day));
        let (window_turned, day_turned) =
            (window > self.window_started_at, day > self.day_started_at);
        for (count, daily) in self.counts.each() {
            let turned = if daily { day_turned } else { window_turned };
            if turned {
                count.used = 0;
            }
        }
        if window_turned {
            self.window_started_at = window;
            self.answered = false;
            self.probed_until = None;
        }
        if day_turned {
            self.day_started_at = day;
        }
        self.closed_until = self.closed_until.filter(|until| *until > now);
    }

    /// Reserves calls, or tells when to ask again.
    pub(super) fn reserve(
        &mut self,
        asked: Asked,
        now: DateTime<Utc>,
        settings: &QuotaSettings,
    ) -> Reservation {
        self.turn(now, settings);
        if let Some(until) = self.closed_until {
            return wait(until, now, WaitReason::Refused);
        }
        let begin = self.window_started_at + settings.margin;
        let end = self.window_started_at + settings.window - settings.margin;
        if now < begin {
            return wait(begin, now, WaitReason::Turning);
        }
        if now >= end {
            let next = self.window_started_at + settings.window + settings.margin;
            return wait(next, now, WaitReason::Turning);
        }
        let room = match self.room(asked.priority, now, settings) {
            Ok(room) => room,
            Err(nothing) => return nothing,
        };
        let probe = match self.probing(now, settings) {
            Ok(probe) => probe,
            Err(awaited) => return awaited,
        };
        let calls = if probe { 1 } else { asked.calls.clamp(1, (room / SHARE).max(1)) };
        for (count, _) in self.counts.each() {
            count.used = count.used.saturating_add(calls);
        }
        let valid_for = (end - now).to_std().unwrap_or_default();
        Reservation::Granted { calls, valid_for, probe }
    }

    /// Calls that are left, at least one; or when there are some again.
    fn room(
        &mut self,
        priority: Priority,
        now: DateTime<Utc>,
        settings: &QuotaSettings,
    ) -> Result<i64, Reservation> {
        let (window, day) = (self.window_started_at, self.day_started_at);
        let mut room = i64::MAX;
        let (mut until, mut reason) = (now, WaitReason::Reserved);
        for (count, daily) in self.counts.each() {
            let left = count.left(priority, settings);
            room = room.min(left);
            if left <= 0 {
                let end = if daily { day + settings.day } else { window + settings.window };
                until = until.max(end + settings.margin);
            }
            if count.is_spent() {
                reason = WaitReason::Spent;
            }
        }
        if room > 0 { Ok(room) } else { Err(wait(until, now, reason)) }
    }

    /// Each window begins with one call, whose answer tells whether Strava and we count alike.
    /// Whether this is it; an error while its answer is awaited.
    fn probing(
        &mut self,
        now: DateTime<Utc>,
        settings: &QuotaSettings,
    ) -> Result<bool, Reservation> {
        if self.answered {
            return Ok(false);
        }
        match self.probed_until {
            Some(until) if now < until => {
                let left = (until - now).to_std().unwrap_or_default();
                let retry_after = left.min(PROBE_POLL);
                return Err(Reservation::Wait { reason: WaitReason::Probed, retry_after });
            }
            // Strava is slow, or the process died. Nothing speaks against calling.
            Some(_) if !self.refused => return Ok(false),
            Some(_) | None => {}
        }
        let patience = if self.refused { settings.wary_patience } else { settings.probe_patience };
        self.probed_until = Some(now + patience);
        Ok(true)
    }

    /// Takes in what an answer said. Whether that was news.
    pub(super) fn learn(
        &mut self,
        mut usage: Usage,
        now: DateTime<Utc>,
        settings: &QuotaSettings,
    ) -> bool {
        let before = *self;
        self.turn(now, settings);
        // What was counted in a window that has ended says nothing about this one.
        let same_window = usage.window_started_at == self.window_started_at;
        let same_day = began(usage.window_started_at, settings.day) == self.day_started_at;
        for ((count, daily), (told, _)) in self.counts.each().into_iter().zip(usage.counts.each()) {
            if let Some(told) = told.filter(|_| if daily { same_day } else { same_window }) {
                *count = Count { limit: told.limit, used: count.used.max(told.used) };
            }
        }
        if same_window && usage.refused {
            self.refused = true;
            self.closed_until = Some(self.closing(usage.counts, settings));
        } else if same_window {
            self.answered = true;
            // An answer that was on its way when another call was refused opens nothing.
            self.refused &= self.closed_until.is_some();
        }
        *self != before
    }

    /// When Strava may answer again. Where its headers do not say which window is spent, it is the
    /// shorter one.
    fn closing(&self, told: Counts<Option<Count>>, settings: &QuotaSettings) -> DateTime<Utc> {
        let spent = |count: Option<Count>| count.is_some_and(Count::is_spent);
        let end = if spent(told.day) || spent(told.read_day) {
            self.day_started_at + settings.day
        } else {
            self.window_started_at + settings.window
        };
        end + settings.margin
    }
}

#[cfg(test)]
mod tests;
