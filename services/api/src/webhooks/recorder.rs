//! Writes events down within the request that brings them.
//!
//! Events that come while others are being written are written together, in one statement. So a burst
//! costs few transactions, and takes one connection of the pool and not all.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::PgPool;
use tokio::sync::oneshot;
use tracing::{Instrument as _, Span};
use treaty_telemetry::context;

use super::Event;
use super::stats::{Recorded, WebhookStats};

/// Events written in one statement.
const BATCH: usize = 500;
/// Events that may wait. More are turned away: Strava sends them again.
const MAX_WAITING: usize = 10_000;

/// Why an event was not written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event cannot be recorded just now")]
pub struct TurnedAway;

/// An event, with whom to tell what it was, and the span of the request that brought it.
struct Waiting {
    event: Event,
    sender: oneshot::Sender<Recorded>,
    request: Option<String>,
}

/// Writes events down.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

struct Inner {
    pool: PgPool,
    stats: Arc<WebhookStats>,
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl Recorder {
    /// Over a pool, of which it uses one connection.
    #[must_use]
    pub fn new(pool: PgPool, stats: Arc<WebhookStats>) -> Self {
        let (waiting, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { inner: Arc::new(Inner { pool, stats, waiting, turn }) }
    }

    /// Writes an event down, and tells what it was. It is durable when this returns.
    ///
    /// # Errors
    /// When Postgres fails, or too many wait.
    pub async fn record(&self, event: Event) -> Result<Recorded, TurnedAway> {
        self.wait(event).instrument(request_span()).await
    }

    async fn wait(&self, event: Event) -> Result<Recorded, TurnedAway> {
        let (sender, answer) = oneshot::channel();
        let request = context::traceparent();
        let first = {
            let mut waiting = self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= MAX_WAITING {
                return Err(TurnedAway);
            }
            waiting.push(Waiting { event, sender, request });
            waiting.len() == 1
        };
        if first {
            // In a task of its own: a caller that goes away must not take along what others wait for.
            let inner = Arc::clone(&self.inner);
            tokio::spawn(async move { inner.write_waiting().await });
        }
        // A batch that fails drops its senders.
        answer.await.map_err(|_| TurnedAway)
    }

    /// The counts that it keeps.
    #[must_use]
    pub fn stats(&self) -> &Arc<WebhookStats> {
        &self.inner.stats
    }
}

impl Inner {
    /// Writes what has gathered once it is this task's turn.
    async fn write_waiting(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let batch = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let rest = waiting.len().min(BATCH);
                waiting.drain(..rest).collect::<Vec<_>>()
            };
            if batch.is_empty() {
                return;
            }
            let span = batch_span(&batch);
            let (events, senders): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|waiting| (waiting.event, waiting.sender)).unzip();
            match write(&self.pool, &events).instrument(span).await {
                Ok(outcomes) => {
                    for (outcome, sender) in outcomes.into_iter().zip(senders) {
                        self.stats.count(outcome);
                        // Whoever has gone away finds the event recorded when it is sent again.
                        let _ = sender.send(outcome);
                    }
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, events = events.len(), "events cannot be recorded");
                }
            }
        }
    }
}

/// The request, by its template: the path ends in a secret. None without traces.
fn request_span() -> Span {
    if !context::is_on() {
        return Span::none();
    }
    tracing::info_span!(
        "webhook",
        otel.kind = "server",
        otel.name = "POST /v1/strava/webhook/{secret}",
    )
}

/// A batch is part of no single request: it has a trace of its own, which refers to theirs.
fn batch_span(batch: &[Waiting]) -> Span {
    if !context::is_on() {
        return Span::none();
    }
    let span = tracing::info_span!(
        parent: None,
        "webhook batch",
        otel.kind = "internal",
        otel.name = "record webhook events",
        events = batch.len(),
    );
    for waiting in batch {
        context::caused_by(&span, waiting.request.as_deref());
    }
    span
}

/// One column of the batch.
fn column<'a, T>(events: &'a [Event], field: impl Fn(&'a Event) -> T) -> Vec<T> {
    events.iter().map(field).collect()
}

/// Writes events of ours down; the outcomes are in the order of the events.
async fn write(pool: &PgPool, events: &[Event]) -> Result<Vec<Recorded>, sqlx::Error> {
    // In the order of the key, so that processes that write the same events do not wait for each
    // other.
    let rows = sqlx::query!(
        r#"WITH told AS (
               SELECT told.*, connection.athlete_id, subscription.subscription_id IS NOT NULL AS ours
               FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[],
                           $6::text[], $7::boolean[], $8::timestamptz[]) WITH ORDINALITY
                   AS told (event_digest, subscription, owner, object_type, object_id,
                            aspect_type, deauthorized, event_time, place)
               LEFT JOIN webhook_subscriptions AS subscription
                   ON subscription.subscription_id = told.subscription
               LEFT JOIN strava_connections AS connection
                   ON connection.strava_athlete_id = told.owner
           ), written AS (
               INSERT INTO webhook_events (event_digest, athlete_id, object_type, object_id,
                   aspect_type, deauthorized, event_time)
               SELECT event_digest, athlete_id, object_type::webhook_object, object_id,
                   aspect_type::webhook_aspect, deauthorized, event_time
               FROM told WHERE ours AND athlete_id IS NOT NULL
               ORDER BY event_digest
               ON CONFLICT (event_digest) DO NOTHING
               RETURNING event_digest
           )
           SELECT told.ours AS "ours!", told.athlete_id IS NOT NULL AS "known!",
                  written.event_digest IS NOT NULL AS "new!"
           FROM told LEFT JOIN written USING (event_digest) ORDER BY told.place"#,
        &column(events, |event| event.digest.as_slice()) as &[&[u8]],
        &column(events, |event| event.subscription_id),
        &column(events, |event| event.owner_id),
        &column(events, |event| event.object_type.as_str()) as &[&str],
        &column(events, |event| event.object_id),
        &column(events, |event| event.aspect_type.as_str()) as &[&str],
        &column(events, |event| event.deauthorized),
        &column(events, |event| event.event_time),
    )
    .fetch_all(pool)
    .await?;
    let mut seen = HashSet::new();
    let outcomes =
        rows.iter().zip(events).map(|(row, event)| match (row.ours, row.known, row.new) {
            (false, ..) => Recorded::UnknownSubscription,
            (_, false, _) => Recorded::UnknownOwner,
            // Strava's attempts can meet in one batch.
            (.., true) if seen.insert(event.digest) => Recorded::New,
            _ => Recorded::Duplicate,
        });
    Ok(outcomes.collect())
}
