//! What one would write who wants nothing but the rows in: one statement a batch, no
//! transaction around it, no questions asked.

use anyhow::Result;
use api::activities::Activity;
use sqlx::PgPool;
use uuid::Uuid;

const UPSERT: &str = "
    INSERT INTO activities (athlete_id, activity_id, name, sport_type, start_time, timezone,
        moving_time_s, elapsed_time_s, distance_m, elevation_gain_m, average_speed_mps,
        max_speed_mps, average_watts, kilojoules, average_heartrate_bpm, gear_id, device_name,
        kudos_count, trainer, commute, manual, private)
    SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::text[],
        $7::integer[], $8::integer[], $9::double precision[], $10::double precision[],
        $11::double precision[], $12::double precision[], $13::double precision[],
        $14::double precision[], $15::double precision[], $16::text[], $17::text[],
        $18::integer[], $19::boolean[], $20::boolean[], $21::boolean[], $22::boolean[])
    ON CONFLICT (activity_id) DO UPDATE SET
        name = excluded.name, sport_type = excluded.sport_type, start_time = excluded.start_time,
        timezone = excluded.timezone, moving_time_s = excluded.moving_time_s,
        elapsed_time_s = excluded.elapsed_time_s, distance_m = excluded.distance_m,
        elevation_gain_m = excluded.elevation_gain_m,
        average_speed_mps = excluded.average_speed_mps, max_speed_mps = excluded.max_speed_mps,
        average_watts = excluded.average_watts, kilojoules = excluded.kilojoules,
        average_heartrate_bpm = excluded.average_heartrate_bpm, gear_id = excluded.gear_id,
        device_name = excluded.device_name, kudos_count = excluded.kudos_count,
        trainer = excluded.trainer, commute = excluded.commute, manual = excluded.manual,
        private = excluded.private";

/// Writes one batch.
pub(crate) async fn upsert(pool: &PgPool, athlete: Uuid, batch: &[Activity]) -> Result<()> {
    macro_rules! column {
        ($field:ident) => {
            batch.iter().map(|activity| activity.$field).collect::<Vec<_>>()
        };
    }
    macro_rules! text {
        ($field:ident) => {
            batch.iter().map(|activity| activity.$field.as_str()).collect::<Vec<_>>()
        };
    }
    macro_rules! optional {
        ($field:ident) => {
            batch.iter().map(|activity| activity.$field.as_deref()).collect::<Vec<_>>()
        };
    }
    sqlx::query(UPSERT)
        .bind(athlete)
        .bind(column!(activity_id))
        .bind(text!(name))
        .bind(text!(sport_type))
        .bind(column!(start_time))
        .bind(text!(timezone))
        .bind(column!(moving_time_s))
        .bind(column!(elapsed_time_s))
        .bind(column!(distance_m))
        .bind(column!(elevation_gain_m))
        .bind(column!(average_speed_mps))
        .bind(column!(max_speed_mps))
        .bind(column!(average_watts))
        .bind(column!(kilojoules))
        .bind(column!(average_heartrate_bpm))
        .bind(optional!(gear_id))
        .bind(optional!(device_name))
        .bind(column!(kudos_count))
        .bind(column!(trainer))
        .bind(column!(commute))
        .bind(column!(manual))
        .bind(column!(private))
        .execute(pool)
        .await?;
    Ok(())
}
