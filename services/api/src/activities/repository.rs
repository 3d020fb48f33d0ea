//! Activities in Postgres.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use stravasync_schema::ActivitiesRow;
use uuid::Uuid;

use super::write::{count, write};
use super::{ActivitiesError, Activity, ActivityKey, Totals, Upserted};
use crate::athletes;
use crate::sync::SyncPage;
use crate::sync::page;

/// Keeps activities.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ActivitiesRepository: Send + Sync {
    /// Writes a page, and how far its sync has come, in one transaction. The activities are in the
    /// order of their identifiers, each once.
    async fn upsert(
        &self,
        page: &SyncPage,
        batch: &[Activity],
    ) -> Result<Upserted, ActivitiesError>;
    /// Finds an activity.
    async fn find(&self, activity_id: i64) -> Result<Option<Activity>, ActivitiesError>;
    /// Up to `limit` activities after a place, newest first.
    async fn list(
        &self,
        athlete_id: Uuid,
        after: Option<ActivityKey>,
        limit: i64,
    ) -> Result<Vec<Activity>, ActivitiesError>;
    /// Sums over the activities of one athlete, or of all.
    async fn totals(&self, athlete_id: Option<Uuid>) -> Result<Totals, ActivitiesError>;
    /// Whether the athlete is known.
    async fn athlete_exists(&self, athlete_id: Uuid) -> Result<bool, ActivitiesError>;
}

/// [`ActivitiesRepository`] over Postgres.
#[derive(Clone)]
pub struct PgActivities {
    pool: PgPool,
    lease_time: Duration,
}

impl PgActivities {
    /// Over a pool. Each page renews its sync's lease for this long.
    #[must_use]
    pub fn new(pool: PgPool, lease_time: Duration) -> Self {
        Self { pool, lease_time }
    }
}

#[async_trait]
impl ActivitiesRepository for PgActivities {
    async fn upsert(
        &self,
        page: &SyncPage,
        batch: &[Activity],
    ) -> Result<Upserted, ActivitiesError> {
        let mut transaction = self.pool.begin().await?;
        let pass = page::admit(&mut transaction, page, self.lease_time).await?;
        let written = write(&mut transaction, page, pass, self.lease_time, batch).await?;
        // Nothing of such a page stays: the transaction ends here.
        if let Some(activity_id) = written.stranger {
            return Err(ActivitiesError::OfAnotherAthlete(activity_id));
        }
        transaction.commit().await?;
        Ok(Upserted {
            inserted: written.inserted,
            updated: written.changed - written.inserted,
            unchanged: count(batch.len()) - written.changed,
        })
    }

    async fn find(&self, activity_id: i64) -> Result<Option<Activity>, ActivitiesError> {
        let row = sqlx::query_as!(
            ActivitiesRow,
            "SELECT activity_id, athlete_id, name, sport_type, start_time, timezone, \
                 moving_time_s, elapsed_time_s, distance_m, elevation_gain_m, average_speed_mps, \
                 max_speed_mps, average_watts, kilojoules, average_heartrate_bpm, gear_id, \
                 device_name, kudos_count, trainer, commute, manual, private, created_at, \
                 updated_at, generation \
             FROM activities WHERE activity_id = $1",
            activity_id,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Activity::from))
    }

    async fn list(
        &self,
        athlete_id: Uuid,
        after: Option<ActivityKey>,
        limit: i64,
    ) -> Result<Vec<Activity>, ActivitiesError> {
        // A key beyond all activities spares the planner a condition on whether there is a token.
        let (time, id) = after.map_or((DateTime::<Utc>::MAX_UTC, i64::MAX), |key| {
            (key.time, i64::from_be_bytes(key.id))
        });
        let rows = sqlx::query_as!(
            ActivitiesRow,
            "SELECT activity_id, athlete_id, name, sport_type, start_time, timezone, \
                 moving_time_s, elapsed_time_s, distance_m, elevation_gain_m, average_speed_mps, \
                 max_speed_mps, average_watts, kilojoules, average_heartrate_bpm, gear_id, \
                 device_name, kudos_count, trainer, commute, manual, private, created_at, \
                 updated_at, generation \
             FROM activities \
             WHERE athlete_id = $1 AND (start_time, activity_id) < ($2, $3) \
             ORDER BY start_time DESC, activity_id DESC LIMIT $4",
            athlete_id,
            time,
            id,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Activity::from).collect())
    }

    async fn totals(&self, athlete_id: Option<Uuid>) -> Result<Totals, ActivitiesError> {
        let totals = match athlete_id {
            None => {
                sqlx::query_as!(
                    Totals,
                    r#"SELECT count(DISTINCT athlete_id) AS "athletes!",
                              count(*) AS "activities!",
                              coalesce(sum(distance_m), 0) AS "distance_m!",
                              coalesce(sum(moving_time_s), 0) AS "moving_time_s!"
                       FROM activities"#,
                )
                .fetch_one(&self.pool)
                .await?
            }
            Some(athlete_id) => {
                sqlx::query_as!(
                    Totals,
                    r#"SELECT count(DISTINCT athlete_id) AS "athletes!",
                              count(*) AS "activities!",
                              coalesce(sum(distance_m), 0) AS "distance_m!",
                              coalesce(sum(moving_time_s), 0) AS "moving_time_s!"
                       FROM activities WHERE athlete_id = $1"#,
                    athlete_id,
                )
                .fetch_one(&self.pool)
                .await?
            }
        };
        Ok(totals)
    }

    async fn athlete_exists(&self, athlete_id: Uuid) -> Result<bool, ActivitiesError> {
        Ok(athletes::is_registered(&self.pool, athlete_id).await?)
    }
}
