//! The quota in Postgres.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{Count, Counts, QuotaError, QuotaState};

/// The state, and when it was read.
#[derive(Clone, Copy, Debug)]
pub struct VersionedState {
    /// What is kept.
    pub state: QuotaState,
    /// To be given back with the change.
    pub version: i64,
    /// The keeper's time, which is the same for all processes.
    pub now: DateTime<Utc>,
}

/// Keeps the quota.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait QuotaRepository: Send + Sync {
    /// What is kept.
    async fn read(&self) -> Result<VersionedState, QuotaError>;
    /// Replaces what is kept, unless somebody has since the version was read. Whether it did.
    async fn replace(&self, version: i64, state: &QuotaState) -> Result<bool, QuotaError>;
}

/// [`QuotaRepository`] over Postgres.
#[derive(Clone)]
pub struct PgQuota {
    pool: PgPool,
}

impl PgQuota {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn find(&self) -> Result<Option<VersionedState>, QuotaError> {
        let row = sqlx::query!(
            r#"SELECT version, window_started_at, window_limit, window_used, read_window_limit,
                      read_window_used, day_started_at, day_limit, day_used, read_day_limit,
                      read_day_used, answered, probed_until, refused, closed_until,
                      clock_timestamp() AS "now!"
               FROM strava_quota"#,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| VersionedState {
            version: row.version,
            now: row.now,
            state: QuotaState {
                window_started_at: row.window_started_at,
                day_started_at: row.day_started_at,
                counts: Counts {
                    window: Count { limit: row.window_limit, used: row.window_used },
                    day: Count { limit: row.day_limit, used: row.day_used },
                    read_window: Count { limit: row.read_window_limit, used: row.read_window_used },
                    read_day: Count { limit: row.read_day_limit, used: row.read_day_used },
                },
                answered: row.answered,
                probed_until: row.probed_until,
                refused: row.refused,
                closed_until: row.closed_until,
            },
        }))
    }
}

#[async_trait]
impl QuotaRepository for PgQuota {
    async fn read(&self) -> Result<VersionedState, QuotaError> {
        if let Some(found) = self.find().await? {
            return Ok(found);
        }
        sqlx::query!("INSERT INTO strava_quota DEFAULT VALUES ON CONFLICT DO NOTHING")
            .execute(&self.pool)
            .await?;
        self.find().await?.ok_or(QuotaError::Database(sqlx::Error::RowNotFound))
    }

    async fn replace(&self, version: i64, state: &QuotaState) -> Result<bool, QuotaError> {
        let counts = &state.counts;
        let replaced = sqlx::query!(
            "UPDATE strava_quota SET version = version + 1, \
                 window_started_at = $2, window_limit = $3, window_used = $4, \
                 read_window_limit = $5, read_window_used = $6, \
                 day_started_at = $7, day_limit = $8, day_used = $9, \
                 read_day_limit = $10, read_day_used = $11, \
                 answered = $12, probed_until = $13, refused = $14, closed_until = $15 \
             WHERE version = $1",
            version,
            state.window_started_at,
            counts.window.limit,
            counts.window.used,
            counts.read_window.limit,
            counts.read_window.used,
            state.day_started_at,
            counts.day.limit,
            counts.day.used,
            counts.read_day.limit,
            counts.read_day.used,
            state.answered,
            state.probed_until,
            state.refused,
            state.closed_until,
        )
        .execute(&self.pool)
        .await?;
        Ok(replaced.rows_affected() == 1)
    }
}
