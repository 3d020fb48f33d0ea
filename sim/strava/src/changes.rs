//! What happened to an athlete's activities since they were generated.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::decimetres;
use crate::generate::{Activity, Generator, ID_STRIDE, Visibility, locate};

/// The changes of one athlete, by place: an activity that is new or edited, or `None` when deleted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    created: u64,
    pub(crate) places: BTreeMap<u64, Option<Activity>>,
}

/// The fields that can be set from outside; what is left out keeps its value or gets a default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Edit {
    pub(crate) name: Option<String>,
    pub(crate) sport_type: Option<String>,
    /// Seconds since the Unix epoch.
    pub(crate) start_date: Option<i64>,
    pub(crate) moving_time: Option<u32>,
    pub(crate) elapsed_time: Option<u32>,
    /// Metres.
    pub(crate) distance: Option<f64>,
    /// Metres.
    pub(crate) total_elevation_gain: Option<f64>,
    pub(crate) private: Option<bool>,
}

impl Edit {
    fn apply(self, activity: &mut Activity) {
        // Negative lengths make no sense; the cast saturates at both ends.
        let whole = |metres: f64| decimetres(metres).clamp(0, i64::from(u32::MAX)) as u32;
        if let Some(name) = self.name {
            activity.name = Cow::Owned(name);
        }
        if let Some(sport_type) = self.sport_type {
            activity.sport_type = Cow::Owned(sport_type);
        }
        if let Some(private) = self.private {
            activity.visibility = if private { Visibility::OnlyMe } else { Visibility::Everyone };
        }
        activity.start_date = self.start_date.unwrap_or(activity.start_date);
        activity.moving_time = self.moving_time.unwrap_or(activity.moving_time);
        activity.elapsed_time = self.elapsed_time.unwrap_or(activity.elapsed_time);
        activity.distance_dm = self.distance.map_or(activity.distance_dm, whole);
        activity.elevation_gain_dm =
            self.total_elevation_gain.map_or(activity.elevation_gain_dm, whole);
    }
}

impl Changes {
    /// Adds an activity, by default a generated one that starts `now`; `None` when ids ran out.
    pub(crate) fn create(
        &mut self,
        generator: &Generator,
        athlete: u64,
        now: i64,
        edit: Edit,
    ) -> Option<Activity> {
        let sequence = generator.activities() + self.created;
        if sequence >= ID_STRIDE {
            return None;
        }
        self.created += 1;
        let mut activity = generator.activity(athlete, sequence);
        activity.start_date = now;
        activity.visibility = Visibility::Everyone;
        edit.apply(&mut activity);
        self.places.insert(sequence, Some(activity.clone()));
        Some(activity)
    }

    /// How many activities there are more, and how many fewer, than were generated.
    pub(crate) fn balance(&self, generated: u64) -> (u64, u64) {
        let deleted = self.places.range(..generated).filter(|(_, place)| place.is_none());
        let created = self.places.range(generated..).filter(|(_, place)| place.is_some());
        (created.count() as u64, deleted.count() as u64)
    }

    /// Changes an activity and returns it as it was and as it is; `None` when there is no such one.
    pub(crate) fn update(
        &mut self,
        generator: &Generator,
        id: u64,
        edit: Edit,
    ) -> Option<(Activity, Activity)> {
        let (athlete, sequence) = locate(id)?;
        let before = self.find(generator, athlete, sequence)?;
        let mut after = before.clone();
        edit.apply(&mut after);
        self.places.insert(sequence, Some(after.clone()));
        Some((before, after))
    }

    /// Removes an activity and returns it; `None` when there is no such one.
    pub(crate) fn delete(&mut self, generator: &Generator, id: u64) -> Option<Activity> {
        let (athlete, sequence) = locate(id)?;
        let before = self.find(generator, athlete, sequence)?;
        self.places.insert(sequence, None);
        Some(before)
    }

    /// The activity at a place as it is now.
    pub(crate) fn find(
        &self,
        generator: &Generator,
        athlete: u64,
        sequence: u64,
    ) -> Option<Activity> {
        match self.places.get(&sequence) {
            Some(changed) => changed.clone(),
            None => {
                (sequence < generator.activities()).then(|| generator.activity(athlete, sequence))
            }
        }
    }
}
