use chrono::{DateTime, Utc};
use stravasync_schema::ActivitiesRow;
use uuid::Uuid;

use crate::page::Key;

/// One activity as Strava's activity list shows it.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The fields are those of the table and of the contract.
pub struct Activity {
    pub activity_id: i64,
    pub athlete_id: Uuid,
    pub name: String,
    pub sport_type: String,
    pub start_time: DateTime<Utc>,
    pub timezone: String,
    pub moving_time_s: i32,
    pub elapsed_time_s: i32,
    pub distance_m: f64,
    pub elevation_gain_m: f64,
    pub average_speed_mps: Option<f64>,
    pub max_speed_mps: Option<f64>,
    pub average_watts: Option<f64>,
    pub kilojoules: Option<f64>,
    pub average_heartrate_bpm: Option<f64>,
    pub gear_id: Option<String>,
    pub device_name: Option<String>,
    pub kudos_count: i32,
    pub trainer: bool,
    pub commute: bool,
    pub manual: bool,
    pub private: bool,
}

impl From<ActivitiesRow> for Activity {
    fn from(row: ActivitiesRow) -> Self {
        Self {
            activity_id: row.activity_id,
            athlete_id: row.athlete_id,
            name: row.name,
            sport_type: row.sport_type,
            start_time: row.start_time,
            timezone: row.timezone,
            moving_time_s: row.moving_time_s,
            elapsed_time_s: row.elapsed_time_s,
            distance_m: row.distance_m,
            elevation_gain_m: row.elevation_gain_m,
            average_speed_mps: row.average_speed_mps,
            max_speed_mps: row.max_speed_mps,
            average_watts: row.average_watts,
            kilojoules: row.kilojoules,
            average_heartrate_bpm: row.average_heartrate_bpm,
            gear_id: row.gear_id,
            device_name: row.device_name,
            kudos_count: row.kudos_count,
            trainer: row.trainer,
            commute: row.commute,
            manual: row.manual,
            private: row.private,
        }
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upserted {
    /// Activities that were new.
    pub inserted: i32,
    /// Activities that were known and have changed.
    pub updated: i32,
    /// Activities that were known and are as before.
    pub unchanged: i32,
}

/// Place in the list of an athlete's activities.
pub type ActivityKey = Key<8>;

/// A page of activities.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityPage {
    /// The activities, newest first.
    pub activities: Vec<Activity>,
    /// Where the next page begins.
    pub next: Option<ActivityKey>,
}

/// Sums over activities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Athletes that have at least one activity.
    pub athletes: i64,
    /// Number of activities.
    pub activities: i64,
    /// Sum of distances in metres.
    pub distance_m: f64,
    /// Sum of moving times in seconds.
    pub moving_time_s: i64,
}
