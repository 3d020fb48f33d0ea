//! Syncs in Postgres.

use async_trait::async_trait;
use sqlx::PgPool;
use stravasync_schema::SyncOutcome;
use treaty_error::{Code, Error};

use super::SyncRun;
use crate::database::{self, violated};

/// Why a sync could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// There is no such athlete.
    #[error("there is no such athlete")]
    AthleteNotFound,
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<SyncError> for Error {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::AthleteNotFound => Self::new(Code::NotFound, error.to_string()),
            SyncError::Database(error) => database::failure(error),
        }
    }
}

/// Records how syncs ended.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait SyncRunsRepository: Send + Sync {
    /// Records a sync and what follows from it. Whether it was not recorded before.
    async fn record(&self, run: &SyncRun) -> Result<bool, SyncError>;
}

/// [`SyncRunsRepository`] over Postgres.
#[derive(Clone)]
pub struct PgSyncRuns {
    pool: PgPool,
}

impl PgSyncRuns {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl SyncRunsRepository for PgSyncRuns {
    async fn record(&self, run: &SyncRun) -> Result<bool, SyncError> {
        let mut transaction = self.pool.begin().await?;
        let recorded = sqlx::query!(
            "INSERT INTO sync_runs \
                 (athlete_id, request_id, outcome, activities, inserted, ended_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (athlete_id, request_id) DO NOTHING",
            run.athlete_id,
            run.request_id,
            run.outcome as SyncOutcome,
            run.activities,
            run.inserted,
            run.ended_at,
        )
        .execute(&mut *transaction)
        .await
        .map_err(|error| match violated(&error) {
            Some("sync_runs_athlete_id_fkey") => SyncError::AthleteNotFound,
            _ => error.into(),
        })?;
        if recorded.rows_affected() == 0 {
            return Ok(false);
        }
        match run.outcome {
            SyncOutcome::Succeeded => {
                // Events may arrive in another order than the syncs ended in.
                sqlx::query!(
                    "UPDATE athletes SET last_synced_at = greatest(last_synced_at, $2) \
                     WHERE athlete_id = $1",
                    run.athlete_id,
                    run.ended_at,
                )
                .execute(&mut *transaction)
                .await?;
            }
            SyncOutcome::NeedsConsent => {
                // A consent that was given since then stands.
                sqlx::query!(
                    "UPDATE strava_connections SET state = 'revoked', updated_at = now() \
                     WHERE athlete_id = $1 AND state = 'connected' AND updated_at < $2",
                    run.athlete_id,
                    run.ended_at,
                )
                .execute(&mut *transaction)
                .await?;
            }
        }
        transaction.commit().await?;
        Ok(true)
    }
}
