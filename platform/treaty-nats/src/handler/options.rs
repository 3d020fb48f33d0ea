//! Settings of a process, not of the contract.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How the handlers of a process run. Deserialised from a service's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HandlersConfig {
    /// Messages that all handlers of the process may have in work together; 0 for no limit
    /// beside the contract's for each handler.
    pub limit: usize,
    /// Seconds that messages in work get to finish when the process shuts down.
    pub drain_grace_seconds: u64,
    /// Seconds from one look at the consumer to the next.
    pub watch_seconds: u64,
    /// Seconds without a delivery, though messages wait, after which the consumer is set up
    /// again.
    pub stalled_seconds: u64,
}

impl Default for HandlersConfig {
    fn default() -> Self {
        Self { limit: 0, drain_grace_seconds: 15, watch_seconds: 10, stalled_seconds: 30 }
    }
}

impl HandlersConfig {
    /// The options that all handlers of the process share: make them once.
    #[must_use]
    pub fn options(&self) -> HandlerOptions {
        HandlerOptions {
            drain_grace: Duration::from_secs(self.drain_grace_seconds),
            limit: (self.limit > 0).then(|| HandlerLimit::new(self.limit)),
            watch_every: Duration::from_secs(self.watch_seconds.max(1)),
            stalled_after: Duration::from_secs(self.stalled_seconds.max(1)),
        }
    }
}

/// How a handler runs. Clones share the limit.
#[derive(Clone, Debug)]
pub struct HandlerOptions {
    /// How long a shutdown waits for handlers at work. Those that are not done
    /// by then are stopped and their messages given back at once.
    pub drain_grace: Duration,
    /// Bounds what several handlers have in work together.
    pub limit: Option<HandlerLimit>,
    /// Time from one look at the consumer to the next.
    pub watch_every: Duration,
    /// Time without a delivery, though messages wait and there are free slots, after which
    /// the consumer is set up again.
    pub stalled_after: Duration,
}

impl Default for HandlerOptions {
    fn default() -> Self {
        HandlersConfig::default().options()
    }
}

/// Bounds what the handlers that share it have in work together, whatever the contract
/// grants each of them. A message that waits for its turn keeps its slot of its own
/// handler, so that no handler takes more from the server than it may work on.
#[derive(Clone)]
pub struct HandlerLimit {
    slots: Arc<Semaphore>,
    messages: usize,
}

impl HandlerLimit {
    /// At most this many messages in work at a time, and at least one.
    #[must_use]
    pub fn new(messages: usize) -> Self {
        let messages = messages.clamp(1, Semaphore::MAX_PERMITS);
        Self { slots: Arc::new(Semaphore::new(messages)), messages }
    }

    /// Slots that are free now.
    pub(super) fn free(&self) -> usize {
        self.slots.available_permits()
    }

    /// Waits for a slot; those that wait get theirs in order. `None` never: the semaphore
    /// is not closed.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }
}

impl fmt::Debug for HandlerLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerLimit").field("messages", &self.messages).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_zero_is_none() {
        assert!(HandlersConfig::default().options().limit.is_none());
        let config = HandlersConfig { limit: 3, ..HandlersConfig::default() };
        assert_eq!(config.options().limit.map(|limit| limit.free()), Some(3));
    }

    #[tokio::test]
    async fn clones_share_the_slots() {
        let limit = HandlerLimit::new(2);
        let other = limit.clone();
        let slot = other.slot().await;
        assert_eq!(limit.free(), 1);
        drop(slot);
        assert_eq!(limit.free(), 2);
    }
}
