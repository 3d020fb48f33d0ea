//! Publishes what the outbox holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error};
use treaty_nats::{Outgoing, PublishOutgoing};
use uuid::Uuid;

use super::CHANNEL;
use crate::config::OutboxConfig;

/// How often old rows are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// Rows deleted at a time.
const PURGE_ROWS: i64 = 5_000;

/// Who publishes which event.
#[derive(Clone, Default)]
pub struct Publishers {
    by_event: BTreeMap<&'static str, Arc<dyn PublishOutgoing>>,
}

impl Publishers {
    /// Adds the publisher of an event.
    #[must_use]
    pub fn with(mut self, publisher: Arc<dyn PublishOutgoing>) -> Self {
        self.by_event.insert(publisher.event(), publisher);
        self
    }

    async fn publish(&self, outgoing: &Outgoing) -> Result<(), Error> {
        let publisher = self.by_event.get(outgoing.event.as_str()).ok_or_else(|| {
            let message = format!("nobody publishes {}", outgoing.event);
            Error::new(Code::Unimplemented, message)
        })?;
        publisher.publish_outgoing(outgoing).await.map(drop)
    }
}

/// What became of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayReport {
    /// Rows that the broker has.
    pub published: usize,
    /// Rows to be tried again later.
    pub failed: usize,
}

/// Publishes what the outbox holds, about in the order in which it was promised. Any number of
/// processes may relay at once: a row is held by one at a time.
///
/// A row is published at least once. It is published again, with the same message id, when the
/// process ends between the broker's answer and ours to Postgres.
pub struct Relay {
    pool: PgPool,
    publishers: Publishers,
    config: OutboxConfig,
}

struct Row {
    id: Uuid,
    subject: String,
    message_id: String,
    event: String,
    payload: Vec<u8>,
}

impl Relay {
    /// A relay over a pool.
    #[must_use]
    pub fn new(pool: PgPool, publishers: Publishers, config: OutboxConfig) -> Self {
        Self { pool, publishers, config }
    }

    /// Relays until `shutdown`. A batch that is on its way then is given back to the outbox.
    pub async fn run(&self, shutdown: CancellationToken) {
        let wake = Notify::new();
        // On the heap: it holds a listener and a whole batch.
        let working = Box::pin(async {
            tokio::select! {
                () = listen(&self.pool, &wake) => {}
                () = self.work(&wake) => {}
            }
        });
        shutdown.run_until_cancelled(working).await;
    }

    async fn work(&self, wake: &Notify) {
        let poll = Duration::from_secs(self.config.poll_seconds);
        let mut purge_at = Instant::now();
        loop {
            match self.relay_batch().await {
                Ok(report) if report.published > 0 => continue,
                Ok(_) => {}
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the outbox cannot be read; trying again");
                }
            }
            if Instant::now() >= purge_at {
                purge_at = Instant::now() + PURGE_EVERY;
                if let Err(error) = self.purge().await {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "old rows of the outbox cannot be deleted");
                }
            }
            // The interval is for rows that failed, and for a notification that was missed.
            let _ = tokio::time::timeout(poll, wake.notified()).await;
        }
    }

    /// Publishes one batch.
    ///
    /// # Errors
    /// When Postgres fails. A message that fails is no error: it is counted and tried again later.
    pub async fn relay_batch(&self) -> Result<RelayReport, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let rows = claim(&mut transaction, self.config.batch).await?;
        let size = rows.len().max(1);
        let outcomes: Vec<(Uuid, Result<(), Error>)> = futures::stream::iter(rows)
            .map(|row| async move {
                let outgoing = Outgoing {
                    subject: row.subject,
                    message_id: Some(row.message_id),
                    event: row.event,
                    payload: row.payload.into(),
                };
                (row.id, self.publishers.publish(&outgoing).await)
            })
            .buffer_unordered(size)
            .collect()
            .await;
        let report = settle(&mut transaction, outcomes).await?;
        transaction.commit().await?;
        Ok(report)
    }

    /// Deletes rows that were published long ago.
    async fn purge(&self) -> Result<(), sqlx::Error> {
        loop {
            let deleted = sqlx::query!(
                "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox \
                 WHERE published_at < now() - make_interval(secs => $1) LIMIT $2)",
                self.config.keep_published_seconds as f64,
                PURGE_ROWS,
            )
            .execute(&self.pool)
            .await?;
            if deleted.rows_affected() < PURGE_ROWS.unsigned_abs() {
                return Ok(());
            }
        }
    }
}

async fn claim(connection: &mut PgConnection, batch: u32) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT id, subject, message_id, event, payload FROM outbox \
         WHERE published_at IS NULL AND next_attempt_at <= clock_timestamp() \
         ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
        i64::from(batch),
    )
    .fetch_all(connection)
    .await
}

async fn settle(
    connection: &mut PgConnection,
    outcomes: Vec<(Uuid, Result<(), Error>)>,
) -> Result<RelayReport, sqlx::Error> {
    let (mut published, mut failed, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    for (id, outcome) in outcomes {
        match outcome {
            Ok(()) => published.push(id),
            Err(error) => {
                tracing::warn!(outbox.id = %id, error = error.chain(), "a message stays unpublished");
                failed.push(id);
                reasons.push(error.to_string());
            }
        }
    }
    if !published.is_empty() {
        sqlx::query!(
            "UPDATE outbox SET published_at = clock_timestamp(), last_error = NULL \
             WHERE id = ANY ($1)",
            &published,
        )
        .execute(&mut *connection)
        .await?;
    }
    if !failed.is_empty() {
        // 1, 2, 4 … seconds, at most 5 minutes, counted from now and not from the transaction's
        // beginning, which may be a while ago.
        sqlx::query!(
            "UPDATE outbox SET attempts = attempts + 1, last_error = failure.reason, \
                 next_attempt_at = clock_timestamp() \
                     + make_interval(secs => least(300, 2 ^ least(attempts, 10))) \
             FROM unnest($1::uuid[], $2::text[]) AS failure (id, reason) \
             WHERE outbox.id = failure.id",
            &failed,
            &reasons,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(RelayReport { published: published.len(), failed: failed.len() })
}

/// Wakes the relay whenever Postgres tells of a new row.
async fn listen(pool: &PgPool, wake: &Notify) {
    loop {
        if let Err(error) = listen_once(pool, wake).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "notifications are missed; the outbox is polled meanwhile");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn listen_once(pool: &PgPool, wake: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // Rows that came before we listened told nobody.
    wake.notify_one();
    loop {
        // `None` is a connection that was lost and made again: something may have been missed.
        let _ = listener.try_recv().await?;
        wake.notify_one();
    }
}
