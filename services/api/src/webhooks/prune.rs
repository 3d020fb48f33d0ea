//! What nobody needs any more leaves.

use std::time::Duration;

use sqlx::PgPool;

use super::{InboxSettings, overdue};

/// How often old rows are deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// Rows deleted at a time, so that no statement is long.
const PRUNE_ROWS: i64 = 5_000;

/// Deletes old rows now and again, and sees to consents that have ended without anybody telling.
pub(super) async fn prune_regularly(pool: &PgPool, settings: InboxSettings) {
    loop {
        match overdue::note(pool, settings.keep_revoked).await {
            Ok(0) => {}
            Ok(consents) => tracing::info!(consents, "consents have ended long ago"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "consents that ended long ago cannot be looked for");
            }
        }
        match prune(pool, settings.keep).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "old events are deleted"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "old events cannot be deleted");
            }
        }
        tokio::time::sleep(PRUNE_EVERY).await;
    }
}

/// Deletes events that were processed, and what is known of activities that were deleted, longer ago
/// than `keep`; returns how many rows. Several processes may do this at once.
pub(super) async fn prune(pool: &PgPool, keep: Duration) -> Result<u64, sqlx::Error> {
    let mut pruned = 0;
    loop {
        let deleted = sqlx::query!(
            "WITH events AS (DELETE FROM webhook_events WHERE event_digest IN ( \
                 SELECT event_digest FROM webhook_events \
                 WHERE processed_at < now() - make_interval(secs => $1) \
                 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1), \
             deletions AS (DELETE FROM deleted_activities WHERE (athlete_id, activity_id) IN ( \
                 SELECT athlete_id, activity_id FROM deleted_activities \
                 WHERE deleted_at < now() - make_interval(secs => $1) \
                 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1) \
             SELECT (SELECT count(*) FROM events) AS \"events!\", \
                    (SELECT count(*) FROM deletions) AS \"deletions!\"",
            keep.as_secs_f64(),
            PRUNE_ROWS,
        )
        .fetch_one(pool)
        .await?;
        pruned += deleted.events.unsigned_abs() + deleted.deletions.unsigned_abs();
        if deleted.events.max(deleted.deletions) < PRUNE_ROWS {
            return Ok(pruned);
        }
    }
}
