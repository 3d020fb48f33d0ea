use chrono::{DateTime, Utc};
use stravasync_schema::SyncOutcome;
use uuid::Uuid;

/// A sync that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRun {
    /// Whose activities were fetched.
    pub athlete_id: Uuid,
    /// What asked for it.
    pub request_id: String,
    /// How it ended.
    pub outcome: SyncOutcome,
    /// Activities that Strava listed.
    pub activities: i32,
    /// Activities that were new to us.
    pub inserted: i32,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
}
