//! The rules about activities.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{ActivitiesError, ActivitiesRepository, Activity, ActivityKey, ActivityPage};
use super::{Totals, Upserted};
use crate::page;
use crate::sync::SyncPage;

/// Keeps athletes' activities.
#[derive(Clone)]
pub struct Activities {
    repository: Arc<dyn ActivitiesRepository>,
}

impl Activities {
    /// The rules over a repository.
    pub fn new(repository: Arc<dyn ActivitiesRepository>) -> Self {
        Self { repository }
    }

    /// Inserts the activities of a page, or updates those that are known, and remembers how far the
    /// sync has come, all or nothing. Of an activity that the batch holds twice the last one counts;
    /// the others are counted as unchanged, so that the counts add up to the batch.
    ///
    /// # Errors
    /// When the athlete is unknown, an activity another athlete's, or the page is one of a sync that
    /// another has taken over from.
    pub async fn upsert(
        &self,
        page: &SyncPage,
        batch: Vec<Activity>,
    ) -> Result<Upserted, ActivitiesError> {
        let asked = batch.len();
        // In the order of the key, so that two batches that overlap lock rows in the same order
        // and cannot wait for each other.
        let by_id: BTreeMap<i64, Activity> =
            batch.into_iter().map(|activity| (activity.activity_id, activity)).collect();
        let activities: Vec<Activity> = by_id.into_values().collect();
        let repeated = i32::try_from(asked - activities.len()).unwrap_or(i32::MAX);
        let mut upserted = self.repository.upsert(page, &activities).await?;
        upserted.unchanged += repeated;
        Ok(upserted)
    }

    /// One activity.
    ///
    /// # Errors
    /// When there is none.
    pub async fn get(&self, activity_id: i64) -> Result<Activity, ActivitiesError> {
        self.repository.find(activity_id).await?.ok_or(ActivitiesError::NotFound)
    }

    /// A page of an athlete's activities, newest first.
    ///
    /// # Errors
    /// When there is no such athlete.
    pub async fn list(
        &self,
        athlete_id: Uuid,
        after: Option<ActivityKey>,
        size: i64,
    ) -> Result<ActivityPage, ActivitiesError> {
        // One more than the page tells whether there is a next one.
        let mut activities = self.repository.list(athlete_id, after, size + 1).await?;
        if activities.is_empty() {
            self.require(athlete_id).await?;
        }
        let next = page::cut(&mut activities, size, |activity| ActivityKey {
            time: activity.start_time,
            id: activity.activity_id.to_be_bytes(),
        });
        Ok(ActivityPage { activities, next })
    }

    /// Sums over the activities of one athlete, or of all.
    ///
    /// # Errors
    /// When there is no such athlete.
    pub async fn totals(&self, athlete_id: Option<Uuid>) -> Result<Totals, ActivitiesError> {
        let totals = self.repository.totals(athlete_id).await?;
        if let Some(athlete_id) = athlete_id
            && totals.activities == 0
        {
            self.require(athlete_id).await?;
        }
        Ok(totals)
    }

    /// Tells an athlete without activities from one who does not exist. Asked only when there is
    /// nothing to show.
    async fn require(&self, athlete_id: Uuid) -> Result<(), ActivitiesError> {
        let known = self.repository.athlete_exists(athlete_id).await?;
        if known { Ok(()) } else { Err(ActivitiesError::AthleteNotFound) }
    }
}

#[cfg(test)]
mod tests;
