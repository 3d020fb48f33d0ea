//! Counters of one handler.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what one handler of this process has done.
#[derive(Debug, Default)]
pub struct HandlerStats {
    pub(super) delivered: Counter,
    pub(super) redelivered: Counter,
    pub(super) acked: Counter,
    pub(super) retried: Counter,
    pub(super) dead_lettered: Counter,
    pub(super) rebuilt: Counter,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsSnapshot {
    /// Deliveries taken.
    pub delivered: u64,
    /// Of these, deliveries of a message that was delivered before.
    pub redelivered: u64,
    /// Messages whose acknowledgement the server has confirmed.
    pub acked: u64,
    /// Deliveries that were given back to be delivered again.
    pub retried: u64,
    /// Messages that became dead letters.
    pub dead_lettered: u64,
    /// Times that the consumer was set up again after trouble.
    pub rebuilt: u64,
}

impl HandlerStats {
    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> StatsSnapshot {
        StatsSnapshot {
            delivered: self.delivered.get(),
            redelivered: self.redelivered.get(),
            acked: self.acked.get(),
            retried: self.retried.get(),
            dead_lettered: self.dead_lettered.get(),
            rebuilt: self.rebuilt.get(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
