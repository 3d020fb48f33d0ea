//! Publishes what the outbox holds.

use std::time::Duration;

use futures::StreamExt as _;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Publishers;
use super::claim::{Chain, claim};
use super::settle::{Outcome, settle};
use super::{listen, prune};
use crate::config::OutboxConfig;

/// How long messages of one batch are begun. What is left then is the next batch's.
const BATCH_TIME: Duration = Duration::from_secs(5);

/// Begins a batch's transaction. While messages are on their way it is idle, for 15 seconds at most:
/// [`BATCH_TIME`], and twice [`Relay::GIVE_UP_AFTER`] for the message that was begun last. A process
/// that is frozen for longer than is said here, or whose machine is gone, loses its subjects to the
/// other relays.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '20s'";

/// How soon it looks again after something has failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What became of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayReport {
    /// Messages that the broker has.
    pub published: usize,
    /// Messages to be tried again later.
    pub failed: usize,
}

/// Publishes what the outbox holds. Any number of processes may relay at once: the messages of a
/// subject are one relay's at a time, and go out in the order of their transactions' commits. A
/// message that fails holds up its subject, and no other.
///
/// A message is published at least once. It is published again, with the same message id, when the
/// process ends between the broker's answer and ours to Postgres.
pub struct Relay {
    pool: PgPool,
    publishers: Publishers,
    config: OutboxConfig,
}

impl Relay {
    /// How long a publisher that the relay is given should try one message. The relay tries again
    /// by itself, and holds a transaction meanwhile.
    pub const GIVE_UP_AFTER: Duration = Duration::from_secs(5);

    /// A relay over a pool, of which it uses two connections, and a third when it prunes.
    #[must_use]
    pub fn new(pool: PgPool, publishers: Publishers, config: OutboxConfig) -> Self {
        Self { pool, publishers, config }
    }

    /// Relays until `shutdown`. Messages that are on their way then are waited for, so that they
    /// are not published again; no other is begun.
    pub async fn run(&self, shutdown: CancellationToken) {
        let wake = Notify::new();
        // On the heap: they hold a listener and a whole batch.
        let beside = Box::pin(async {
            let prune = prune::prune_regularly(&self.pool, self.config.keep_published_seconds);
            tokio::join!(listen::listen(&self.pool, &wake), prune)
        });
        let working = Box::pin(self.work(&wake, &shutdown));
        tokio::select! {
            _ = beside => {}
            () = working => {}
        }
    }

    async fn work(&self, wake: &Notify, stop: &CancellationToken) {
        let poll = Duration::from_secs(self.config.poll_seconds);
        let mut wait = poll;
        while !stop.is_cancelled() {
            match self.batch(stop).await {
                Ok(report) => {
                    if report.failed > 0 {
                        wait = poll.min(RETRY_AFTER);
                    }
                    if report.published > 0 {
                        continue;
                    }
                }
                Err(error) => {
                    wait = poll.min(RETRY_AFTER);
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the outbox cannot be relayed; trying again");
                }
            }
            // The interval is for rows that failed, and for a notification that was missed.
            tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep(wait) => wait = poll,
                () = stop.cancelled() => {}
            }
        }
    }

    /// Publishes one batch.
    ///
    /// # Errors
    /// When Postgres fails. A message that fails is no error: it is counted and tried again later.
    pub async fn relay_batch(&self) -> Result<RelayReport, sqlx::Error> {
        self.batch(&CancellationToken::new()).await
    }

    /// Deletes rows that were published longer ago than the configuration keeps them, and returns
    /// how many. [`Relay::run`] does it now and again.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn prune(&self) -> Result<u64, sqlx::Error> {
        prune::prune(&self.pool, self.config.keep_published_seconds).await
    }

    async fn batch(&self, stop: &CancellationToken) -> Result<RelayReport, sqlx::Error> {
        let mut transaction = self.pool.begin_with(BEGIN).await?;
        let chains = claim(&mut transaction, self.config.batch).await?;
        if chains.is_empty() {
            transaction.rollback().await?;
            return Ok(RelayReport::default());
        }
        let until = Instant::now() + BATCH_TIME;
        let together = chains.len();
        let outcomes: Vec<Outcome> = futures::stream::iter(chains)
            .map(|chain| self.publish(chain, until, stop))
            .buffer_unordered(together)
            .collect()
            .await;
        let report = settle(&mut transaction, outcomes).await?;
        transaction.commit().await?;
        Ok(report)
    }

    /// Publishes the messages of one subject, each after the broker has the one before.
    async fn publish(&self, chain: Chain, until: Instant, stop: &CancellationToken) -> Outcome {
        let mut outcome = Outcome::default();
        for message in chain {
            if stop.is_cancelled() || Instant::now() >= until {
                break;
            }
            match self.publishers.publish(&message.outgoing).await {
                Ok(()) => outcome.published.push(message.id),
                Err(error) => {
                    outcome.failed = Some((message.id, error));
                    break;
                }
            }
        }
        outcome
    }
}
