//! Activities in Postgres.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use stravasync_schema::ActivitiesRow;
use uuid::Uuid;

use super::{ActivitiesError, Activity, ActivityKey, Totals, Upserted};
use crate::athletes;
use crate::sync::SyncPage;
use crate::sync::page::{self, Pass};

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
        let (upserted, listed) = write(&mut transaction, page.athlete_id, pass, batch).await?;
        // Checked after the write: what another transaction committed in the meantime is seen, and
        // nothing can change hands any more.
        if let Some(activity_id) = stranger(&mut transaction, page.athlete_id, batch).await? {
            return Err(ActivitiesError::OfAnotherAthlete(activity_id));
        }
        // Pages overlap: in a walk through the whole list, what it has listed before was written
        // with its generation.
        let listed = if pass.full { listed } else { count(batch.len()) };
        page::record(&mut transaction, page, (listed, upserted.inserted), self.lease_time).await?;
        transaction.commit().await?;
        Ok(upserted)
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

/// One column of the batch: an array a column is one statement for any number of rows.
fn column<'a, T>(batch: &'a [Activity], field: impl Fn(&'a Activity) -> T) -> Vec<T> {
    batch.iter().map(field).collect()
}

async fn write(
    connection: &mut PgConnection,
    athlete_id: Uuid,
    pass: Pass,
    batch: &[Activity],
) -> Result<(Upserted, i32), ActivitiesError> {
    // `xmax` is 0 in a row that this statement has inserted. Rows that are as before, the generation
    // included, are not written, and so not returned; `updated_at` tells those that have changed
    // from those that only got the generation. What was deleted at Strava since the walk began does
    // not come back: the page may have been read before that.
    let written = sqlx::query!(
        r#"INSERT INTO activities AS known (athlete_id, activity_id, name, sport_type, start_time,
               timezone, moving_time_s, elapsed_time_s, distance_m, elevation_gain_m,
               average_speed_mps, max_speed_mps, average_watts, kilojoules,
               average_heartrate_bpm, gear_id, device_name, kudos_count, trainer, commute,
               manual, private, generation)
           SELECT $1, batch.*, $23 FROM unnest($2::bigint[], $3::text[], $4::text[],
               $5::timestamptz[], $6::text[], $7::integer[], $8::integer[],
               $9::double precision[], $10::double precision[], $11::double precision[],
               $12::double precision[], $13::double precision[], $14::double precision[],
               $15::double precision[], $16::text[], $17::text[], $18::integer[],
               $19::boolean[], $20::boolean[], $21::boolean[], $22::boolean[]) AS batch (activity_id)
           WHERE NOT EXISTS (SELECT 1 FROM deleted_activities AS deleted
               WHERE deleted.athlete_id = $1 AND deleted.activity_id = batch.activity_id
                 AND deleted.deleted_at >= $24)
           ON CONFLICT (activity_id) DO UPDATE SET
               name = excluded.name, sport_type = excluded.sport_type,
               start_time = excluded.start_time, timezone = excluded.timezone,
               moving_time_s = excluded.moving_time_s, elapsed_time_s = excluded.elapsed_time_s,
               distance_m = excluded.distance_m, elevation_gain_m = excluded.elevation_gain_m,
               average_speed_mps = excluded.average_speed_mps,
               max_speed_mps = excluded.max_speed_mps, average_watts = excluded.average_watts,
               kilojoules = excluded.kilojoules,
               average_heartrate_bpm = excluded.average_heartrate_bpm,
               gear_id = excluded.gear_id, device_name = excluded.device_name,
               kudos_count = excluded.kudos_count, trainer = excluded.trainer,
               commute = excluded.commute, manual = excluded.manual, private = excluded.private,
               generation = excluded.generation,
               updated_at = CASE WHEN
                 (known.name, known.sport_type, known.start_time, known.timezone,
                  known.moving_time_s, known.elapsed_time_s, known.distance_m,
                  known.elevation_gain_m, known.average_speed_mps, known.max_speed_mps,
                  known.average_watts, known.kilojoules, known.average_heartrate_bpm,
                  known.gear_id, known.device_name, known.kudos_count, known.trainer,
                  known.commute, known.manual, known.private)
                 IS DISTINCT FROM
                 (excluded.name, excluded.sport_type, excluded.start_time, excluded.timezone,
                  excluded.moving_time_s, excluded.elapsed_time_s, excluded.distance_m,
                  excluded.elevation_gain_m, excluded.average_speed_mps, excluded.max_speed_mps,
                  excluded.average_watts, excluded.kilojoules, excluded.average_heartrate_bpm,
                  excluded.gear_id, excluded.device_name, excluded.kudos_count, excluded.trainer,
                  excluded.commute, excluded.manual, excluded.private)
                 THEN now() ELSE known.updated_at END
           WHERE known.athlete_id = excluded.athlete_id
             AND (known.generation, known.name, known.sport_type, known.start_time, known.timezone,
                  known.moving_time_s, known.elapsed_time_s, known.distance_m,
                  known.elevation_gain_m, known.average_speed_mps, known.max_speed_mps,
                  known.average_watts, known.kilojoules, known.average_heartrate_bpm,
                  known.gear_id, known.device_name, known.kudos_count, known.trainer,
                  known.commute, known.manual, known.private)
                 IS DISTINCT FROM
                 (excluded.generation, excluded.name, excluded.sport_type, excluded.start_time, excluded.timezone,
                  excluded.moving_time_s, excluded.elapsed_time_s, excluded.distance_m,
                  excluded.elevation_gain_m, excluded.average_speed_mps, excluded.max_speed_mps,
                  excluded.average_watts, excluded.kilojoules, excluded.average_heartrate_bpm,
                  excluded.gear_id, excluded.device_name, excluded.kudos_count, excluded.trainer,
                  excluded.commute, excluded.manual, excluded.private)
           RETURNING (xmax = 0) AS "inserted!", (updated_at = now()) AS "changed!""#,
        athlete_id,
        &column(batch, |activity| activity.activity_id),
        &column(batch, |activity| activity.name.as_str()) as &[&str],
        &column(batch, |activity| activity.sport_type.as_str()) as &[&str],
        &column(batch, |activity| activity.start_time),
        &column(batch, |activity| activity.timezone.as_str()) as &[&str],
        &column(batch, |activity| activity.moving_time_s),
        &column(batch, |activity| activity.elapsed_time_s),
        &column(batch, |activity| activity.distance_m),
        &column(batch, |activity| activity.elevation_gain_m),
        &column(batch, |activity| activity.average_speed_mps) as &[Option<f64>],
        &column(batch, |activity| activity.max_speed_mps) as &[Option<f64>],
        &column(batch, |activity| activity.average_watts) as &[Option<f64>],
        &column(batch, |activity| activity.kilojoules) as &[Option<f64>],
        &column(batch, |activity| activity.average_heartrate_bpm) as &[Option<f64>],
        &column(batch, |activity| activity.gear_id.as_deref()) as &[Option<&str>],
        &column(batch, |activity| activity.device_name.as_deref()) as &[Option<&str>],
        &column(batch, |activity| activity.kudos_count),
        &column(batch, |activity| activity.trainer),
        &column(batch, |activity| activity.commute),
        &column(batch, |activity| activity.manual),
        &column(batch, |activity| activity.private),
        pass.generation,
        pass.began_at,
    )
    .fetch_all(connection)
    .await?;
    let inserted = written.iter().filter(|row| row.inserted).count();
    let changed = written.iter().filter(|row| row.changed).count();
    let upserted = Upserted {
        inserted: count(inserted),
        updated: count(changed - inserted),
        unchanged: count(batch.len() - changed),
    };
    Ok((upserted, count(written.len())))
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// An activity of the batch that is another athlete's.
async fn stranger(
    connection: &mut PgConnection,
    athlete_id: Uuid,
    batch: &[Activity],
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT activity_id FROM activities \
         WHERE activity_id = ANY ($1) AND athlete_id <> $2 ORDER BY activity_id LIMIT 1",
        &column(batch, |activity| activity.activity_id),
        athlete_id,
    )
    .fetch_optional(connection)
    .await
}
