//! The rules about activities.

use std::collections::BTreeMap;
use std::sync::Arc;

use treaty_error::FieldViolation;
use uuid::Uuid;

use super::{ActivitiesError, ActivitiesRepository, Activity, ActivityKey, ActivityPage};
use super::{Totals, Upserted};
use crate::page;

/// Most activities in one batch.
pub const MAX_BATCH: usize = 1000;
/// Most violations that an answer names.
const MAX_VIOLATIONS: usize = 20;

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

    /// Inserts activities, or updates those that are known, all or nothing. Of an activity that
    /// the batch holds twice the last one counts; the others are counted as unchanged, so that the
    /// counts add up to the batch.
    ///
    /// # Errors
    /// When the batch is wrong, the athlete unknown, or an activity another athlete's.
    pub async fn upsert(
        &self,
        athlete_id: Uuid,
        batch: Vec<Activity>,
    ) -> Result<Upserted, ActivitiesError> {
        check(&batch)?;
        let asked = batch.len();
        // In the order of the key, so that two batches that overlap lock rows in the same order
        // and cannot wait for each other.
        let by_id: BTreeMap<i64, Activity> =
            batch.into_iter().map(|activity| (activity.activity_id, activity)).collect();
        let activities: Vec<Activity> = by_id.into_values().collect();
        let repeated = i32::try_from(asked - activities.len()).unwrap_or(i32::MAX);
        let mut upserted = self.repository.upsert(athlete_id, &activities).await?;
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

fn check(batch: &[Activity]) -> Result<(), ActivitiesError> {
    let mut violations = Violations(Vec::new());
    if batch.is_empty() || batch.len() > MAX_BATCH {
        violations.add("activities".to_owned(), "must hold 1 to 1000 activities");
    }
    for (index, activity) in batch.iter().enumerate() {
        check_one(&mut violations, index, activity);
        if violations.0.len() >= MAX_VIOLATIONS {
            break;
        }
    }
    if violations.0.is_empty() { Ok(()) } else { Err(ActivitiesError::Invalid(violations.0)) }
}

struct Violations(Vec<FieldViolation>);

impl Violations {
    fn add(&mut self, field: String, description: &str) {
        self.0.push(FieldViolation::new(field, description));
    }
}

fn check_one(violations: &mut Violations, index: usize, activity: &Activity) {
    let mut require = |valid: bool, field: &str, description: &str| {
        if !valid {
            violations.add(format!("activities[{index}].{field}"), description);
        }
    };
    require(activity.activity_id > 0, "activity_id", "must be positive");
    for (field, seconds) in
        [("moving_time", activity.moving_time_s), ("elapsed_time", activity.elapsed_time_s)]
    {
        require(seconds >= 0, field, "must not be negative");
    }
    let numbers = [
        ("distance_m", Some(activity.distance_m)),
        ("elevation_gain_m", Some(activity.elevation_gain_m)),
        ("average_speed_mps", activity.average_speed_mps),
        ("max_speed_mps", activity.max_speed_mps),
        ("average_watts", activity.average_watts),
        ("kilojoules", activity.kilojoules),
        ("average_heartrate_bpm", activity.average_heartrate_bpm),
    ];
    for (field, number) in numbers {
        require(number.is_none_or(f64::is_finite), field, "must be a finite number");
    }
    let texts = [
        ("name", Some(&activity.name)),
        ("sport_type", Some(&activity.sport_type)),
        ("timezone", Some(&activity.timezone)),
        ("gear_id", activity.gear_id.as_ref()),
        ("device_name", activity.device_name.as_ref()),
    ];
    for (field, text) in texts {
        // Postgres cannot keep it, and would refuse the whole batch without naming the field.
        require(text.is_none_or(|text| !text.contains('\0')), field, "must not hold NUL");
    }
}

#[cfg(test)]
mod tests;
