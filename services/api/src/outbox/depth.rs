//! How much waits in the outbox.

use sqlx::PgPool;

/// What waits in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OutboxDepth {
    /// Messages that the broker does not have yet.
    pub waiting: i64,
    /// Of these, messages that have failed before.
    pub failing: i64,
    /// How long ago the oldest of them was promised, in seconds; 0 when none waits.
    pub oldest_seconds: f64,
}

/// What waits now.
///
/// # Errors
/// When Postgres fails.
pub async fn depth(pool: &PgPool) -> Result<OutboxDepth, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "waiting!", count(*) FILTER (WHERE attempts > 0) AS "failing!",
                  coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
                      AS "oldest_seconds!"
           FROM outbox WHERE published_at IS NULL"#,
    )
    .fetch_one(pool)
    .await?;
    let (waiting, failing) = (row.waiting, row.failing);
    Ok(OutboxDepth { waiting, failing, oldest_seconds: row.oldest_seconds.max(0.0) })
}
