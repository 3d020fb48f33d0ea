use std::time::Duration;

use api_port::sync_v1::SyncReason;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use stravasync_schema::SyncOutcome as Outcome;

/// A place in Strava's list of an athlete's activities: the page to ask for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPosition {
    /// Only activities that started after this second since 1970, oldest first.
    pub after: Option<i64>,
    /// Only activities that started before this second since 1970, newest first.
    pub before: Option<i64>,
    /// Number of the page below these bounds, from 1.
    pub page: i32,
}

impl ListPosition {
    /// Where the whole list begins.
    pub const NEWEST: Self = Self { after: None, before: None, page: 1 };

    /// Where what started after this second begins.
    #[must_use]
    pub fn after(second: i64) -> Self {
        Self { after: Some(second), ..Self::NEWEST }
    }
}

/// A job that wants to sync an athlete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The athlete.
    pub athlete_id: Uuid,
    /// What asked for it.
    pub request_id: String,
    /// Why it was asked for.
    pub reason: SyncReason,
    /// When it was asked for, if that is known.
    pub requested_at: Option<DateTime<Utc>>,
    /// Whether it asks for the whole list.
    pub full: bool,
    /// The message that it came in.
    pub holder: String,
    /// Which delivery of the message it is.
    pub attempt: i64,
}

/// What becomes of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It holds the lease.
    Admitted(Session),
    /// The sync that runs takes care of it.
    Folded,
    /// It was done before.
    Done,
}

/// A sync that holds the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The lease.
    pub lease: i64,
    /// Where to read on.
    pub position: ListPosition,
}

/// A page of Strava's list, besides the activities on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncPage {
    /// Whose list it is.
    pub athlete_id: Uuid,
    /// The lease of the sync that has read it.
    pub lease: i64,
    /// Where to read on; `None` when more of the same page follows.
    pub next: Option<ListPosition>,
    /// Activities on it that cannot be used.
    pub unusable: i32,
}

/// How a sync ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Activities that Strava listed.
    pub activities: i32,
    /// Activities that were new to us.
    pub inserted: i32,
    /// Activities deleted because Strava does not list them any more.
    pub deleted: i32,
    /// Whether another sync was promised.
    pub follow_up: bool,
}

/// How far an athlete's activities are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncState {
    /// Whether a sync holds a lease that has not expired.
    pub running: bool,
    /// Whether a walk through the whole list has begun and not ended.
    pub walking: bool,
    /// When the last walk that came to its end began.
    pub synced_up_to: Option<DateTime<Utc>>,
    /// When the last walk through the whole list that came to its end began.
    pub last_full_walk_at: Option<DateTime<Utc>>,
    /// Whether another sync is to follow the one that runs.
    pub wanted: bool,
}

/// What is set about syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncSettings {
    /// How long a lease lasts without a sign of life.
    pub lease_time: Duration,
    /// How far back before what is known a sync asks again, for what was uploaded late.
    pub overlap: Duration,
}
