//! What was folded into a sync that never ended.
//!
//! A job that is folded is acknowledged: from then on the athlete's row alone remembers it. The end
//! of the sync publishes it anew if need be. A sync may never end, because its job was set aside as
//! a dead letter; then this does.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::repository::PgSyncs;
use super::rules::Wish;
use super::service::next_job;
use super::{SyncError, SyncSettings};

/// Looks for what was folded into syncs that never ended.
pub struct Orphans {
    pool: PgPool,
    syncs: PgSyncs,
    settings: SyncSettings,
    interval: Duration,
}

impl Orphans {
    /// Looks once in each `interval`.
    #[must_use]
    pub fn new(pool: PgPool, settings: SyncSettings, interval: Duration) -> Self {
        Self { syncs: PgSyncs::new(pool.clone()), pool, settings, interval }
    }

    /// Looks again and again until it is told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(self.interval)).await.is_some() {
            match self.publish().await {
                Ok(0) => {}
                Ok(jobs) => tracing::warn!(jobs, "syncs never ended; what waited for them follows"),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "cannot look for syncs that never ended");
                }
            }
        }
    }

    /// Publishes what waits for a lease that expired a lease's time ago, and returns how many jobs
    /// these are. Several processes may do this at once.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn publish(&self) -> Result<u64, SyncError> {
        let waiting = sqlx::query_scalar!(
            "SELECT athlete_id FROM sync_states \
             WHERE wanted_at IS NOT NULL \
               AND lease_expires_at < now() - make_interval(secs => $1) \
             ORDER BY wanted_at LIMIT 1000",
            self.settings.lease_time.as_secs_f64(),
        )
        .fetch_all(&self.pool)
        .await?;
        let mut published = 0;
        for athlete_id in waiting {
            let locked = self.syncs.lock(athlete_id).await?;
            let expired = locked.row().lease_expires_at.is_some_and(|end| end < locked.now());
            if let (true, Some(wish)) = (expired, Wish::remembered(locked.row())) {
                locked.publish_wish(&next_job(athlete_id, wish)?).await?;
                published += 1;
            }
        }
        Ok(published)
    }
}
