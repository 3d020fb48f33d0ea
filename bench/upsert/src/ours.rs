//! The api's way.

use std::time::Duration;

use anyhow::Result;
use api::activities::{ActivitiesRepository as _, Activity, PgActivities};
use api::sync::{ListPosition, SyncPage};
use sqlx::PgPool;
use uuid::Uuid;

/// The lease of the sync that writes.
const LEASE: i64 = 1;

/// The api's repository, for one athlete whose whole list is being walked through.
pub(crate) struct Ours {
    repository: PgActivities,
    page: SyncPage,
}

impl Ours {
    pub(crate) async fn begin(pool: &PgPool, athlete: Uuid) -> Result<Self> {
        sqlx::query(
            "INSERT INTO sync_states (athlete_id, lease, lease_holder, walk_full, generation) \
             VALUES ($1, $2, 'bench', true, 1)",
        )
        .bind(athlete)
        .bind(LEASE)
        .execute(pool)
        .await?;
        let next = ListPosition { after: None, before: Some(1_700_000_000), page: 1 };
        Ok(Self {
            repository: PgActivities::new(pool.clone(), Duration::from_secs(60)),
            page: SyncPage { athlete_id: athlete, lease: LEASE, next: Some(next), unusable: 0 },
        })
    }

    /// Writes one batch: fenced, counted, checked for strangers, and the sync's progress with it.
    pub(crate) async fn upsert(&self, batch: &[Activity]) -> Result<()> {
        self.repository.upsert(&self.page, batch).await?;
        Ok(())
    }
}
