//! An athlete's state under its lock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Postgres, Transaction};
use stravasync_schema::{SyncOutcome, SyncStatesRow};
use treaty_nats::Outgoing;

use super::SyncError;
use super::model::{Ended, Job, ListPosition, Session};
use super::rules::{Walk, Wish};
use crate::outbox;

/// An athlete's state, which nobody else changes, nor any of the athlete's activities.
pub(super) struct LockedSync {
    transaction: Transaction<'static, Postgres>,
    row: SyncStatesRow,
    now: DateTime<Utc>,
}

impl LockedSync {
    /// What a transaction has locked and read, and the database's time then.
    pub(super) fn new(
        transaction: Transaction<'static, Postgres>,
        row: SyncStatesRow,
        now: DateTime<Utc>,
    ) -> Self {
        Self { transaction, row, now }
    }

    pub(super) fn row(&self) -> &SyncStatesRow {
        &self.row
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// How the sync of this request ended, if it has.
    pub(super) async fn ended(&mut self, request_id: &str) -> Result<Option<Ended>, SyncError> {
        let ended = sqlx::query_as!(
            Ended,
            "SELECT activities, inserted, deleted, follow_up FROM sync_runs \
             WHERE athlete_id = $1 AND request_id = $2",
            self.row.athlete_id,
            request_id,
        )
        .fetch_optional(&mut *self.transaction)
        .await?;
        Ok(ended)
    }

    /// The latest start of an activity that we have.
    pub(super) async fn newest(&mut self) -> Result<Option<DateTime<Utc>>, SyncError> {
        let newest = sqlx::query_scalar!(
            "SELECT start_time FROM activities WHERE athlete_id = $1 \
             ORDER BY start_time DESC LIMIT 1",
            self.row.athlete_id,
        )
        .fetch_optional(&mut *self.transaction)
        .await?;
        Ok(newest)
    }

    /// Gives the lease to a job, which goes on with the walk under way or begins one.
    pub(super) async fn admit(
        mut self,
        job: &Job,
        begin: Option<Walk>,
        lease_time: Duration,
    ) -> Result<Session, SyncError> {
        if let Some(walk) = begin {
            self.begin_walk(&job.request_id, walk).await?;
        }
        let admitted = sqlx::query!(
            "UPDATE sync_states SET lease = lease + 1, lease_holder = $2, lease_request_id = $3, \
                 lease_reason = $4, lease_requested_at = $5, lease_began_at = $6, \
                 lease_expires_at = clock_timestamp() + make_interval(secs => $7), \
                 lease_attempt = $8 \
             WHERE athlete_id = $1 \
             RETURNING lease, walk_after, walk_before, walk_page",
            self.row.athlete_id,
            job.holder,
            job.request_id,
            number(job.reason),
            job.requested_at.map(|at| at.min(self.now)),
            self.now,
            lease_time.as_secs_f64(),
            job.attempt,
        )
        .fetch_one(&mut *self.transaction)
        .await?;
        self.transaction.commit().await?;
        let position = ListPosition {
            after: admitted.walk_after,
            before: admitted.walk_before,
            page: admitted.walk_page,
        };
        Ok(Session { lease: admitted.lease, position })
    }

    async fn begin_walk(&mut self, request_id: &str, walk: Walk) -> Result<(), SyncError> {
        let start = walk.start();
        sqlx::query!(
            "UPDATE sync_states SET walk_full = $2, walk_request_id = $3, walk_began_at = $4, \
                 walk_after = $5, walk_before = $6, walk_page = $7, walk_listed = 0, \
                 walk_unusable = 0, walk_inserted = 0, \
                 generation = generation + CASE WHEN $2 THEN 1 ELSE 0 END \
             WHERE athlete_id = $1",
            self.row.athlete_id,
            walk == Walk::Full,
            request_id,
            self.now,
            start.after,
            start.before,
            start.page,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Remembers what is to follow the sync that runs.
    pub(super) async fn remember(mut self, wish: Wish) -> Result<(), SyncError> {
        sqlx::query!(
            "UPDATE sync_states SET wanted_at = $2, wanted_reason = $3, wanted_full = $4 \
             WHERE athlete_id = $1",
            self.row.athlete_id,
            wish.at,
            number(wish.reason),
            wish.full,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(self.transaction.commit().await?)
    }

    /// Publishes what was to follow a sync that is given up. The walk stays: the next sync goes on
    /// with it.
    pub(super) async fn publish_wish(mut self, next: &Outgoing) -> Result<(), SyncError> {
        sqlx::query!(
            "UPDATE sync_states SET wanted_at = NULL, wanted_reason = 0, wanted_full = false \
             WHERE athlete_id = $1",
            self.row.athlete_id,
        )
        .execute(&mut *self.transaction)
        .await?;
        outbox::append(&mut self.transaction, next).await?;
        Ok(self.transaction.commit().await?)
    }

    /// Deletes what the walk through the whole list did not find, and returns how many.
    pub(super) async fn delete_unlisted(&mut self) -> Result<i32, SyncError> {
        let deleted = sqlx::query!(
            "DELETE FROM activities WHERE athlete_id = $1 AND generation < $2",
            self.row.athlete_id,
            self.row.generation,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(i32::try_from(deleted.rows_affected()).unwrap_or(i32::MAX))
    }

    /// Takes down that the walk came to its end.
    pub(super) async fn succeed(&mut self, listed_nothing: bool) -> Result<(), SyncError> {
        sqlx::query!(
            "UPDATE sync_states SET synced_up_to = greatest(synced_up_to, walk_began_at), \
                 last_full_walk_at = CASE WHEN walk_full \
                     THEN greatest(last_full_walk_at, walk_began_at) ELSE last_full_walk_at END, \
                 listed_nothing = CASE WHEN walk_full THEN $2 ELSE listed_nothing END \
             WHERE athlete_id = $1",
            self.row.athlete_id,
            listed_nothing,
        )
        .execute(&mut *self.transaction)
        .await?;
        sqlx::query!(
            "UPDATE athletes SET last_synced_at = greatest(last_synced_at, $2) \
             WHERE athlete_id = $1",
            self.row.athlete_id,
            self.now,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Takes down that the athlete must consent again. A consent that was given since the sync
    /// began stands.
    pub(super) async fn lose_consent(&mut self) -> Result<(), SyncError> {
        sqlx::query!(
            "UPDATE strava_connections SET state = 'revoked', updated_at = now() \
             WHERE athlete_id = $1 AND state = 'connected' AND updated_at < $2",
            self.row.athlete_id,
            self.row.lease_began_at,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Records the run, gives up lease and walk, promises the messages, and commits.
    pub(super) async fn end(
        mut self,
        request_id: &str,
        outcome: SyncOutcome,
        ended: Ended,
        messages: &[Outgoing],
    ) -> Result<(), SyncError> {
        sqlx::query!(
            "INSERT INTO sync_runs (athlete_id, request_id, outcome, activities, inserted, \
                 deleted, follow_up, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            self.row.athlete_id,
            request_id,
            outcome as SyncOutcome,
            ended.activities,
            ended.inserted,
            ended.deleted,
            ended.follow_up,
            self.now,
        )
        .execute(&mut *self.transaction)
        .await?;
        sqlx::query!(
            "UPDATE sync_states SET lease_holder = NULL, lease_expires_at = NULL, \
                 walk_full = NULL, walk_request_id = NULL, wanted_at = NULL, wanted_reason = 0, \
                 wanted_full = false WHERE athlete_id = $1",
            self.row.athlete_id,
        )
        .execute(&mut *self.transaction)
        .await?;
        for message in messages {
            outbox::append(&mut self.transaction, message).await?;
        }
        Ok(self.transaction.commit().await?)
    }
}

/// A reason as it is kept.
fn number(reason: api_port::sync_v1::SyncReason) -> i16 {
    i16::try_from(i32::from(reason)).unwrap_or_default()
}
