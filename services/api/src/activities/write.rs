//! The statement that writes a page of activities.

use std::time::Duration;

use sqlx::PgConnection;

use super::Activity;
use crate::sync::SyncPage;
use crate::sync::page::Pass;

/// One column of the batch: an array a column is one statement for any number of rows.
fn column<'a, T>(batch: &'a [Activity], field: impl Fn(&'a Activity) -> T) -> Vec<T> {
    batch.iter().map(field).collect()
}

/// What a page has done to the rows.
pub(super) struct Written {
    /// Rows that were new.
    pub(super) inserted: i32,
    /// Rows that are not as before, those inserted among them.
    pub(super) changed: i32,
    /// An activity of the page that is another athlete's.
    pub(super) stranger: Option<i64>,
}

/// Writes activities and how far their sync has come by one statement: a page is short, and each
/// further statement would cost it a walk to the database and back.
pub(super) async fn write(
    connection: &mut PgConnection,
    page: &SyncPage,
    pass: Pass,
    lease_time: Duration,
    batch: &[Activity],
) -> Result<Written, sqlx::Error> {
    let next = page.next;
    // `xmax` is 0 in a row that this statement has inserted. Rows that are as before, the generation
    // included, are not written, and so not returned; `updated_at` tells those that have changed
    // from those that only got the generation. A row of another athlete never is as before, so that
    // it is found, even when it was committed a moment ago; what is done to it is not committed.
    // What was deleted at Strava since the walk began does not come back: the page may have been
    // read before that.
    //
    // Pages overlap: in a walk through the whole list, what it has listed before was written with
    // its generation.
    sqlx::query_as!(
        Written,
        r#"WITH written AS (
           INSERT INTO activities AS known (athlete_id, activity_id, name, sport_type, start_time,
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
           WHERE (known.athlete_id, known.generation, known.name,
                  known.sport_type, known.start_time, known.timezone,
                  known.moving_time_s, known.elapsed_time_s, known.distance_m,
                  known.elevation_gain_m, known.average_speed_mps, known.max_speed_mps,
                  known.average_watts, known.kilojoules, known.average_heartrate_bpm,
                  known.gear_id, known.device_name, known.kudos_count, known.trainer,
                  known.commute, known.manual, known.private)
                 IS DISTINCT FROM
                 (excluded.athlete_id, excluded.generation, excluded.name,
                  excluded.sport_type, excluded.start_time, excluded.timezone,
                  excluded.moving_time_s, excluded.elapsed_time_s, excluded.distance_m,
                  excluded.elevation_gain_m, excluded.average_speed_mps, excluded.max_speed_mps,
                  excluded.average_watts, excluded.kilojoules, excluded.average_heartrate_bpm,
                  excluded.gear_id, excluded.device_name, excluded.kudos_count, excluded.trainer,
                  excluded.commute, excluded.manual, excluded.private)
           RETURNING activity_id, athlete_id <> $1 AS strange, xmax = 0 AS inserted,
               updated_at = now() AS changed
           ), counted AS (
           SELECT count(*)::integer AS listed,
               (count(*) FILTER (WHERE inserted))::integer AS inserted,
               (count(*) FILTER (WHERE changed))::integer AS changed,
               min(activity_id) FILTER (WHERE strange) AS stranger
           FROM written
           ), recorded AS (
           UPDATE sync_states SET
               lease_expires_at = clock_timestamp() + make_interval(secs => $25),
               walk_listed = walk_listed + $26
                   + CASE WHEN $27 THEN counted.listed ELSE cardinality($2) END,
               walk_unusable = walk_unusable + $26,
               walk_inserted = walk_inserted + counted.inserted,
               walk_after = CASE WHEN $28 THEN $29 ELSE walk_after END,
               walk_before = CASE WHEN $28 THEN $30 ELSE walk_before END,
               walk_page = CASE WHEN $28 THEN $31 ELSE walk_page END
           FROM counted WHERE sync_states.athlete_id = $1
           )
           SELECT inserted AS "inserted!", changed AS "changed!", stranger FROM counted"#,
        page.athlete_id,
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
        lease_time.as_secs_f64(),
        page.unusable,
        pass.full,
        next.is_some(),
        next.and_then(|next| next.after),
        next.and_then(|next| next.before),
        next.map_or(1, |next| next.page),
    )
    .fetch_one(connection)
    .await
}

/// A number of rows as the contract counts them.
pub(super) fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
