//! Watching that messages come while messages wait.
//!
//! Heartbeats tell that the server knows our requests. They do not tell that it serves
//! them, nor are they sent when we have none. So the server is asked from time to time what
//! waits: a consumer with messages, in front of free slots, from which nothing comes, is set
//! up again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use treaty_error::Code;

use super::load::Load;
use super::pull::Lost;
use super::{Backlog, HandlerOptions, HandlerStats, RebuildReason, consumer};
use crate::{Connection, ConsumerInfo, HandlerSpec};

/// Looks at one consumer.
pub(super) struct Watch {
    connection: Connection,
    spec: &'static HandlerSpec,
    stats: Arc<HandlerStats>,
    load: Arc<Load>,
    every: Duration,
    stalled_after: Duration,
}

impl Watch {
    pub(super) fn new(
        connection: Connection,
        spec: &'static HandlerSpec,
        stats: Arc<HandlerStats>,
        load: Arc<Load>,
        options: &HandlerOptions,
    ) -> Self {
        let (every, stalled_after) = (options.watch_every, options.stalled_after);
        Self { connection, spec, stats, load, every, stalled_after }
    }

    /// Waits until the consumer has to be set up again, and tells why.
    pub(super) async fn lost(&self) -> Lost {
        let mut stall = Stall::new(self.stats.delivered.get());
        loop {
            tokio::time::sleep(self.every).await;
            let info = match self.connection.consumer_info(self.spec).await {
                Ok(info) => info,
                Err(error) if error.code() == Code::NotFound => {
                    return Lost::new(RebuildReason::Deleted, "it does not exist any more");
                }
                Err(error) => {
                    // What this means for the flow of messages is told by heartbeats.
                    tracing::debug!(error = error.chain(), "the consumer could not be looked at");
                    continue;
                }
            };
            self.stats.set_backlog(Backlog {
                pending: info.num_pending,
                unanswered: info.num_ack_pending,
                redelivering: info.num_redelivered,
                age: Duration::ZERO,
            });
            match self.connection.dead_letters().count_of(self.spec).await {
                Ok(letters) => self.stats.set_dead_letters(letters),
                Err(error) => {
                    tracing::debug!(error = error.chain(), "dead letters could not be counted");
                }
            }
            let should_flow = should_flow(&info) && self.load.room() > 0;
            let still = stall.look(should_flow, self.stats.delivered.get());
            if still.is_some_and(|still| still >= self.stalled_after) {
                let words = format!(
                    "nothing was delivered for {} s, though {} messages wait",
                    self.stalled_after.as_secs(),
                    info.num_pending
                );
                return Lost::new(RebuildReason::Stalled, words);
            }
        }
    }
}

/// Whether the server should deliver something to whoever asks.
fn should_flow(info: &ConsumerInfo) -> bool {
    let ack_pending = i64::try_from(info.num_ack_pending).unwrap_or(i64::MAX);
    info.num_pending > 0 && !info.paused && ack_pending < consumer::MAX_ACK_PENDING
}

/// Since when nothing is delivered that should be.
struct Stall {
    delivered: u64,
    looked: Instant,
    since: Option<Instant>,
}

impl Stall {
    fn new(delivered: u64) -> Self {
        Self { delivered, looked: Instant::now(), since: None }
    }

    /// Takes a look into account; returns for how long nothing was delivered.
    fn look(&mut self, should_flow: bool, delivered: u64) -> Option<Duration> {
        let before = std::mem::replace(&mut self.looked, Instant::now());
        let moved = std::mem::replace(&mut self.delivered, delivered) != delivered;
        if moved || !should_flow {
            self.since = None;
        } else {
            // Nothing has come since the look before.
            self.since.get_or_insert(before);
        }
        self.since.map(|since| self.looked - since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_standstill_in_front_of_work_counts() {
        let second = Duration::from_secs(1);
        let mut stall = Stall::new(0);
        let mut look = async |should_flow, delivered| {
            tokio::time::advance(second).await;
            stall.look(should_flow, delivered)
        };
        assert_eq!(look(true, 5).await, None, "it moves");
        assert_eq!(look(false, 5).await, None, "there is nothing to do");
        assert_eq!(look(true, 5).await, Some(second));
        assert_eq!(look(true, 5).await, Some(2 * second));
        assert_eq!(look(true, 6).await, None, "it moves again");
        assert_eq!(look(true, 6).await, Some(second));
        assert_eq!(look(false, 6).await, None);
    }

    #[test]
    fn a_pause_and_a_full_house_are_no_stall() {
        let waiting = ConsumerInfo { num_pending: 5, ..ConsumerInfo::default() };
        assert!(should_flow(&waiting));
        assert!(!should_flow(&ConsumerInfo { paused: true, ..waiting }));
        assert!(!should_flow(&ConsumerInfo { num_ack_pending: 10_000, ..waiting }));
        assert!(!should_flow(&ConsumerInfo::default()));
    }
}
