//! Published rows stay for people to look at, and leave when they are old.

use std::time::Duration;

use sqlx::PgPool;

/// How often old rows are deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// Rows deleted at a time, so that no statement is long.
const PRUNE_ROWS: i64 = 5_000;

/// Deletes old rows now and again, whether or not there is anything to publish.
pub(super) async fn prune_regularly(pool: &PgPool, keep_seconds: u32) {
    loop {
        match prune(pool, keep_seconds).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "old rows of the outbox are deleted"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "old rows of the outbox cannot be deleted");
            }
        }
        tokio::time::sleep(PRUNE_EVERY).await;
    }
}

/// Deletes rows that were published more than so many seconds ago, and returns how many. A row that
/// is not published stays, however old it is. Several processes may do this at once.
pub(super) async fn prune(pool: &PgPool, keep_seconds: u32) -> Result<u64, sqlx::Error> {
    let mut pruned = 0;
    loop {
        let deleted = sqlx::query!(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox \
             WHERE published_at < now() - make_interval(secs => $1) \
             LIMIT $2 FOR UPDATE SKIP LOCKED)",
            f64::from(keep_seconds),
            PRUNE_ROWS,
        )
        .execute(pool)
        .await?
        .rows_affected();
        pruned += deleted;
        if deleted < PRUNE_ROWS.unsigned_abs() {
            return Ok(pruned);
        }
    }
}
