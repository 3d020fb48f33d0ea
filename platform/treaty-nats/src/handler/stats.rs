//! What one handler has done and is doing, for logs, metrics and tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::durations::Durations;
pub use super::durations::HandlingTimes;

/// Counts what one handler of this process has done. Each handler needs its own.
#[derive(Debug, Default)]
pub struct HandlerStats {
    pub(super) delivered: Counter,
    pub(super) redelivered: Counter,
    pub(super) acked: Counter,
    pub(super) retried: Counter,
    pub(super) dead_lettered: Counter,
    pub(super) returned: Counter,
    pub(super) unanswered: Counter,
    pub(super) taken: Counter,
    pub(super) in_work: Counter,
    pub(super) durations: Durations,
    rebuilds: [Counter; RebuildReason::ALL.len()],
    backlog: Mutex<Option<(Backlog, Instant)>>,
    dead_letters: Mutex<Option<u64>>,
}

/// Everything that is known of one handler of this process at one moment. Counters begin at
/// 0 with the process and never fall; the others are states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsSnapshot {
    /// Counter: deliveries taken.
    pub delivered: u64,
    /// Counter: of these, deliveries of a message that was delivered before.
    pub redelivered: u64,
    /// Counter: messages whose acknowledgement the server has confirmed, or was sent where
    /// the contract asks for no confirmation.
    pub acked: u64,
    /// Counter: failures after which the message comes again, or is tried again here where
    /// the contract asks for order.
    pub retried: u64,
    /// Counter: messages that became dead letters.
    pub dead_lettered: u64,
    /// Counter: messages given back unfinished by a shutdown.
    pub returned: u64,
    /// Counter: answers of any kind that could not be brought to the server, or were not
    /// confirmed; their messages may come again.
    pub unanswered: u64,
    /// Counter: times that the consumer was set up again after trouble.
    pub rebuilt: u64,
    /// The same by reason.
    pub rebuilds: Rebuilds,
    /// State: messages that their handler works on now.
    pub in_work: u64,
    /// State: messages taken that wait, for an earlier one of their key, for their next try,
    /// or for a slot of a limit that handlers share.
    pub waiting: u64,
    /// State: what the server held for all processes of this deployable when it was asked
    /// last; `None` before the first answer.
    pub backlog: Option<Backlog>,
    /// State: dead letters of this handler when they were counted last, whichever process set
    /// them aside; `None` before the first answer.
    pub dead_letters: Option<u64>,
    /// Counter: how long handlers took, whatever came of it.
    pub handling: HandlingTimes,
}

/// What the server holds for a durable consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Messages not delivered yet: the consumer's lag.
    pub pending: u64,
    /// Messages delivered and not answered yet, those that wait for a retry included.
    pub unanswered: u64,
    /// Of these, messages delivered more than once.
    pub redelivering: u64,
    /// How old this knowledge is.
    pub age: Duration,
}

/// Why a consumer was set up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebuildReason {
    /// The connection to the server was made anew.
    Reconnected,
    /// The server sent neither messages nor heartbeats.
    Silent,
    /// The consumer does not exist any more.
    Deleted,
    /// Messages wait, slots are free, and nothing is delivered.
    Stalled,
    /// Anything else, such as a request that the server refuses; the log has the words.
    Refused,
}

impl RebuildReason {
    /// Each of them.
    pub const ALL: [Self; 5] =
        [Self::Reconnected, Self::Silent, Self::Deleted, Self::Stalled, Self::Refused];

    /// In one word, for a metric's label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reconnected => "reconnected",
            Self::Silent => "silent",
            Self::Deleted => "deleted",
            Self::Stalled => "stalled",
            Self::Refused => "refused",
        }
    }
}

/// How often a consumer was set up again, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilds([u64; RebuildReason::ALL.len()]);

impl Rebuilds {
    /// How often for this reason.
    #[must_use]
    pub fn of(&self, reason: RebuildReason) -> u64 {
        self.0[reason as usize]
    }

    /// Each reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (RebuildReason, u64)> + '_ {
        RebuildReason::ALL.into_iter().map(|reason| (reason, self.of(reason)))
    }
}

impl HandlerStats {
    /// Everything now.
    #[must_use]
    pub fn snapshot(&self) -> StatsSnapshot {
        let rebuilds = Rebuilds(self.rebuilds.each_ref().map(Counter::get));
        let in_work = self.in_work.get();
        StatsSnapshot {
            delivered: self.delivered.get(),
            redelivered: self.redelivered.get(),
            acked: self.acked.get(),
            retried: self.retried.get(),
            dead_lettered: self.dead_lettered.get(),
            returned: self.returned.get(),
            unanswered: self.unanswered.get(),
            rebuilt: rebuilds.0.iter().sum(),
            rebuilds,
            in_work,
            waiting: self.taken.get().saturating_sub(in_work),
            backlog: self.backlog(),
            dead_letters: *self.dead_letters.lock().unwrap_or_else(PoisonError::into_inner),
            handling: self.durations.snapshot(),
        }
    }

    pub(super) fn count_rebuild(&self, reason: RebuildReason) {
        self.rebuilds[reason as usize].add_one();
    }

    pub(super) fn set_backlog(&self, backlog: Backlog) {
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((backlog, Instant::now()));
    }

    pub(super) fn set_dead_letters(&self, letters: u64) {
        *self.dead_letters.lock().unwrap_or_else(PoisonError::into_inner) = Some(letters);
    }

    fn backlog(&self) -> Option<Backlog> {
        let known = *self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        known.map(|(backlog, at)| Backlog { age: at.elapsed(), ..backlog })
    }
}

/// A number that many tasks change.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn take_one(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts one until the guard is dropped.
    pub(super) fn hold(&self) -> Held<'_> {
        self.add_one();
        Held(self)
    }
}

/// One that is counted while this lives.
pub(super) struct Held<'a>(&'a Counter);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.take_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rebuilds_are_counted_by_reason() {
        let stats = HandlerStats::default();
        for (index, reason) in RebuildReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            stats.count_rebuild(reason);
        }
        stats.count_rebuild(RebuildReason::Stalled);
        let snapshot = stats.snapshot();
        assert_eq!(snapshot.rebuilt, 6);
        assert_eq!(snapshot.rebuilds.of(RebuildReason::Stalled), 2);
        assert_eq!(snapshot.rebuilds.of(RebuildReason::Deleted), 1);
    }

    #[test]
    fn what_is_taken_and_not_in_work_waits() {
        let stats = HandlerStats::default();
        let (_first, _second) = (stats.taken.hold(), stats.taken.hold());
        let working = stats.in_work.hold();
        assert_eq!((stats.snapshot().in_work, stats.snapshot().waiting), (1, 1));
        drop(working);
        assert_eq!((stats.snapshot().in_work, stats.snapshot().waiting), (0, 2));
    }
}
