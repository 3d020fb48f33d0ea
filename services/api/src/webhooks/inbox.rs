//! Acts upon what was recorded, an athlete's events together.

use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction};
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use uuid::Uuid;

use super::changes::Changes;
use super::erasure::erase;
use super::plan::{Pending, deauthorizes};
use super::{WebhooksError, overdue, prune};
use crate::connections::{Connections, TokenKeeper};

/// How often it looks for events.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Class of the advisory locks by which an athlete's events are one process's at a time: the letters
/// "hook".
const LOCK_CLASS: i32 = 0x686f_6f6b;

/// Athletes that are looked at for one that no other process has.
const CANDIDATES: i64 = 64;

/// Begins the work on one athlete's events. It is idle for as long as Strava is asked about a
/// consent; a process that is frozen for longer loses the athlete to the others.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '60s'";

/// What can be set about the inbox.
#[derive(Clone, Copy, Debug)]
pub struct InboxSettings {
    /// How long an event waits for others of its athlete.
    pub gather: Duration,
    /// How long a processed event is kept, and what is known of deletions.
    pub keep: Duration,
    /// How long what we have of an athlete is kept after Strava has refused the tokens.
    pub keep_revoked: Duration,
}

/// What became of the events of one athlete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// They were acted upon.
    Done,
    /// The consent has ended, and with it everything of the athlete's.
    Erased,
    /// They are to be tried again later.
    PutOff,
}

/// Acts upon recorded events. Any number of processes may do so at once.
pub struct Inbox {
    pool: PgPool,
    connections: Connections,
    tokens: TokenKeeper,
    settings: InboxSettings,
    overlap: Duration,
}

impl Inbox {
    /// Over a pool. A sync of new activities looks back for `overlap`; what lies further back is
    /// found by a walk through the whole list alone.
    #[must_use]
    pub fn new(
        pool: PgPool,
        connections: Connections,
        tokens: TokenKeeper,
        settings: InboxSettings,
        overlap: Duration,
    ) -> Self {
        Self { pool, connections, tokens, settings, overlap }
    }

    /// Acts until `stop`. What is being done then is done to its end.
    pub async fn run(&self, stop: CancellationToken) {
        let pruning = Box::pin(prune::prune_regularly(&self.pool, self.settings));
        tokio::select! {
            () = pruning => {}
            () = self.work(&stop) => {}
        }
    }

    async fn work(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.handle_athlete().await {
                Ok(Some(_)) => continue,
                Ok(None) => {}
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the inbox of events cannot be read; trying again");
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
        }
    }

    /// Acts upon the events of one athlete, or returns `None` when none are due.
    ///
    /// # Errors
    /// When Postgres fails. Events that cannot be acted upon are no error: they are put off.
    pub async fn handle_athlete(&self) -> Result<Option<Handled>, sqlx::Error> {
        let mut transaction = self.pool.begin_with(BEGIN).await?;
        let due = sqlx::query_scalar!(
            r#"SELECT athlete_id AS "athlete_id!" FROM (
                   SELECT DISTINCT athlete_id FROM webhook_events
                   WHERE processed_at IS NULL AND next_attempt_at <= clock_timestamp()
                     AND received_at <= clock_timestamp() - make_interval(secs => $3)
                   LIMIT $1
               ) AS due
               WHERE pg_try_advisory_xact_lock($2, hashtext(athlete_id::text)) LIMIT 1"#,
            CANDIDATES,
            LOCK_CLASS,
            self.settings.gather.as_secs_f64(),
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(athlete_id) = due else { return Ok(None) };
        let events = sqlx::query_as!(
            Pending,
            r#"SELECT event_digest, object_type AS "object_type: _", object_id,
                      aspect_type AS "aspect_type: _", deauthorized, event_time, job_promised_at
               FROM webhook_events WHERE athlete_id = $1 AND processed_at IS NULL"#,
            athlete_id,
        )
        .fetch_all(&mut *transaction)
        .await?;
        if deauthorizes(&events) {
            match self.connections.consent_holds(athlete_id).await {
                Ok(true) => {
                    tracing::warn!(%athlete_id, "a consent was said to have ended, and holds");
                }
                Ok(false) => return self.erase(transaction, athlete_id).await,
                Err(error) => {
                    drop(transaction);
                    return self.put_off(athlete_id, error.into()).await;
                }
            }
        }
        let changes = Changes { athlete_id, events: &events, overlap: self.overlap };
        match changes.apply(transaction).await {
            Ok(()) => Ok(Some(Handled::Done)),
            Err(error) => self.put_off(athlete_id, error).await,
        }
    }

    async fn erase(
        &self,
        transaction: Transaction<'_, Postgres>,
        athlete_id: Uuid,
    ) -> Result<Option<Handled>, sqlx::Error> {
        match erase(transaction, &self.tokens, athlete_id).await {
            Ok(true) => Ok(Some(Handled::Erased)),
            Ok(false) => self.put_off(athlete_id, WebhooksError::Reconnected).await,
            Err(error) => self.put_off(athlete_id, error.into()).await,
        }
    }

    /// Has the consents looked at that Strava has refused for longer than the settings keep what they
    /// gave, and returns how many these are. [`Inbox::run`] does it now and again.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn note_overdue(&self) -> Result<u64, sqlx::Error> {
        overdue::note(&self.pool, self.settings.keep_revoked).await
    }

    /// Tries again after 1, 2, 4 … seconds, five minutes at most, without an end: what an event asks
    /// for may not be left out.
    async fn put_off(
        &self,
        athlete_id: Uuid,
        error: WebhooksError,
    ) -> Result<Option<Handled>, sqlx::Error> {
        let error = Error::from(error);
        tracing::warn!(%athlete_id, error = error.chain(), "events are put off");
        sqlx::query!(
            "UPDATE webhook_events SET attempts = attempts + 1, last_error = $2, \
                 next_attempt_at = clock_timestamp() \
                     + make_interval(secs => least(300, 2 ^ least(attempts, 10))) \
             WHERE athlete_id = $1 AND processed_at IS NULL",
            athlete_id,
            error.to_string(),
        )
        .execute(&self.pool)
        .await?;
        Ok(Some(Handled::PutOff))
    }
}
