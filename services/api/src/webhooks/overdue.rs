//! Consents that have ended without anybody telling.
//!
//! Strava tells of a withdrawal three times, and then no more. What remains is a connection whose
//! tokens Strava refuses, and data that its athlete no longer lets us have.

use std::time::Duration;

use sqlx::PgPool;

/// Connections that are looked at in one go.
const ROWS: i64 = 1_000;

/// Has the inbox look at each consent that Strava has refused for longer than `after`, as if a
/// withdrawal had been told; returns how many these are.
pub(super) async fn note(pool: &PgPool, after: Duration) -> Result<u64, sqlx::Error> {
    // Known by the time of the refusal, so that each is looked at once.
    let noted = sqlx::query!(
        "INSERT INTO webhook_events (event_digest, athlete_id, object_type, object_id, \
             aspect_type, deauthorized, event_time) \
         SELECT sha256(convert_to(athlete_id::text || extract(epoch FROM updated_at)::text, \
                                  'UTF8')), \
             athlete_id, 'athlete', strava_athlete_id, 'update', true, updated_at \
         FROM strava_connections \
         WHERE state = 'revoked' AND updated_at < now() - make_interval(secs => $1) \
         ORDER BY athlete_id LIMIT $2 ON CONFLICT (event_digest) DO NOTHING",
        after.as_secs_f64(),
        ROWS,
    )
    .execute(pool)
    .await?;
    Ok(noted.rows_affected())
}
