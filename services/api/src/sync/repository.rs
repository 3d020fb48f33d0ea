//! Syncs in Postgres.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use stravasync_schema::SyncStatesRow;
use uuid::Uuid;

use super::locked::LockedSync;
use super::{SyncError, SyncState};
use crate::database::violated;

/// Keeps the state of syncs.
#[derive(Clone)]
pub struct PgSyncs {
    pool: PgPool,
}

impl PgSyncs {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Locks an athlete's state, which is made when there is none yet. Dropping it changes nothing.
    pub(super) async fn lock(&self, athlete_id: Uuid) -> Result<LockedSync, SyncError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO sync_states (athlete_id) VALUES ($1) ON CONFLICT DO NOTHING",
            athlete_id,
        )
        .execute(&mut *transaction)
        .await
        .map_err(|error| match violated(&error) {
            Some("sync_states_athlete_id_fkey") => SyncError::AthleteNotFound,
            _ => error.into(),
        })?;
        let row = sqlx::query_as!(
            SyncStatesRow,
            "SELECT athlete_id, lease, lease_holder, lease_attempt, lease_request_id, \
                 lease_reason, lease_requested_at, lease_began_at, lease_expires_at, walk_full, \
                 walk_request_id, walk_began_at, walk_after, walk_before, walk_page, walk_listed, \
                 walk_unusable, walk_inserted, generation, synced_up_to, last_full_walk_at, \
                 listed_nothing, wanted_at, wanted_reason, wanted_full \
             FROM sync_states WHERE athlete_id = $1 FOR NO KEY UPDATE",
            athlete_id,
        )
        .fetch_one(&mut *transaction)
        .await?;
        let now = now(&mut transaction).await?;
        Ok(LockedSync::new(transaction, row, now))
    }

    /// Renews a lease. Whether it is still the newest.
    pub(super) async fn renew(
        &self,
        athlete_id: Uuid,
        lease: i64,
        lease_time: Duration,
    ) -> Result<bool, SyncError> {
        let renewed = sqlx::query!(
            "UPDATE sync_states \
             SET lease_expires_at = clock_timestamp() + make_interval(secs => $3) \
             WHERE athlete_id = $1 AND lease = $2 AND lease_holder IS NOT NULL",
            athlete_id,
            lease,
            lease_time.as_secs_f64(),
        )
        .execute(&self.pool)
        .await?;
        Ok(renewed.rows_affected() == 1)
    }

    /// How far an athlete's activities are known; `None` when there is no such athlete.
    pub(super) async fn state(&self, athlete_id: Uuid) -> Result<Option<SyncState>, SyncError> {
        let state = sqlx::query_as!(
            SyncState,
            r#"SELECT coalesce(s.lease_expires_at > now(), false) AS "running!",
                      coalesce(s.walk_full, false) AS "walking!", s.synced_up_to,
                      s.last_full_walk_at, s.wanted_at IS NOT NULL AS "wanted!"
               FROM athletes a LEFT JOIN sync_states s USING (athlete_id)
               WHERE a.athlete_id = $1"#,
            athlete_id,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(state)
    }
}

/// The database's clock, which all leases go by.
async fn now(connection: &mut PgConnection) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#).fetch_one(connection).await
}
