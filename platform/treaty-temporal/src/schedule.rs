//! Schedules: starting a workflow again and again.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::{Error, WorkflowClient};

/// When a workflow is started, and under which id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSpec {
    /// The id of the schedule. The workflows that it starts are named after it,
    /// with the time of the start appended.
    pub id: String,
    /// The interval, counted from the Unix epoch; at least a second.
    pub every: Duration,
    /// How far the starts are moved from multiples of the interval: with a day and three
    /// hours, each day at three (UTC). Less than the interval.
    pub offset: Option<Duration>,
    /// How much each start may be late, at random, so that schedules with the
    /// same interval do not all start at once.
    pub jitter: Option<Duration>,
    /// What happens when the previous workflow is still running.
    pub overlap: Overlap,
    /// How long after its time a start that was missed, because the server was
    /// down, is still made up for. The server's default is a year.
    pub catchup_window: Option<Duration>,
    /// Whether it is paused, whatever it was before. When absent an existing schedule
    /// keeps its state, so that a pause by hand outlives the restarts of workers.
    pub paused: Option<bool>,
    /// Whether a new schedule begins paused, where `paused` does not say.
    pub start_paused: bool,
    /// A note for people.
    pub note: String,
}

impl ScheduleSpec {
    /// A schedule that skips a start while the previous workflow is running.
    pub fn every(id: impl Into<String>, every: Duration) -> Self {
        Self {
            id: id.into(),
            every,
            offset: None,
            jitter: None,
            overlap: Overlap::Skip,
            catchup_window: None,
            paused: None,
            start_paused: false,
            note: String::new(),
        }
    }

    /// Spreads the starts at random over this time.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Duration) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Moves the starts by this much from multiples of the interval.
    #[must_use]
    pub fn with_offset(mut self, offset: Duration) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Sets what happens when the previous workflow is still running.
    #[must_use]
    pub fn with_overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// Sets for how long a missed start is made up for.
    #[must_use]
    pub fn with_catchup_window(mut self, window: Duration) -> Self {
        self.catchup_window = Some(window);
        self
    }

    /// Pauses or resumes it, or with `None` leaves an existing one as it is.
    #[must_use]
    pub fn with_paused(mut self, paused: Option<bool>) -> Self {
        self.paused = paused;
        self
    }

    /// Begins paused where the schedule is new.
    #[must_use]
    pub fn paused(mut self) -> Self {
        self.start_paused = true;
        self
    }

    /// Leaves a note for people.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// What a schedule does when the previous workflow is still running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Does not start another.
    #[default]
    Skip,
    /// Starts one more when the previous has ended.
    BufferOne,
    /// Starts another beside it.
    AllowAll,
}

/// What a schedule is and has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleStatus {
    /// Whether it is paused.
    pub paused: bool,
    /// The interval.
    pub every: Option<Duration>,
    /// How far the starts are moved from multiples of the interval.
    pub offset: Option<Duration>,
    /// How much each start may be late, at random.
    pub jitter: Option<Duration>,
    /// How long a missed start is made up for.
    pub catchup_window: Option<Duration>,
    /// The note for people.
    pub note: String,
    /// How many workflows it has started.
    pub started: i64,
    /// How many starts it skipped because the previous workflow was running.
    pub skipped: i64,
    /// How many starts it missed for good, because the server was down.
    pub missed: i64,
    /// The latest starts, oldest first.
    pub recent: Vec<ScheduleRun>,
    /// The workflows that are running.
    pub running: Vec<ScheduleRun>,
    /// The next times at which it will start a workflow.
    pub next: Vec<SystemTime>,
}

/// A workflow that a schedule started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRun {
    /// The id of the workflow.
    pub workflow_id: String,
    /// The first run of it.
    pub run_id: String,
    /// When it was started, where the server tells.
    pub started_at: Option<SystemTime>,
}

/// A schedule that exists.
#[derive(Clone)]
pub struct ScheduleHandle {
    client: Arc<dyn WorkflowClient>,
    id: String,
}

impl std::fmt::Debug for ScheduleHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScheduleHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

impl ScheduleHandle {
    pub(crate) fn new(client: Arc<dyn WorkflowClient>, id: String) -> Self {
        Self { client, id }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Starts the workflow now, subject to the overlap policy.
    ///
    /// # Errors
    /// [`Error::ScheduleNotFound`], or [`Error::Call`].
    pub async fn trigger(&self) -> Result<(), Error> {
        self.client.trigger_schedule(&self.id).await
    }

    /// Stops further starts until resumed.
    ///
    /// # Errors
    /// [`Error::ScheduleNotFound`], or [`Error::Call`].
    pub async fn pause(&self, note: &str) -> Result<(), Error> {
        self.client.pause_schedule(&self.id, note).await
    }

    /// Undoes a pause.
    ///
    /// # Errors
    /// [`Error::ScheduleNotFound`], or [`Error::Call`].
    pub async fn resume(&self, note: &str) -> Result<(), Error> {
        self.client.resume_schedule(&self.id, note).await
    }

    /// What the schedule is and has done.
    ///
    /// # Errors
    /// [`Error::ScheduleNotFound`], or [`Error::Call`].
    pub async fn describe(&self) -> Result<ScheduleStatus, Error> {
        self.client.describe_schedule(&self.id).await
    }

    /// Deletes the schedule; workflows that it started go on.
    ///
    /// # Errors
    /// [`Error::ScheduleNotFound`], or [`Error::Call`].
    pub async fn delete(&self) -> Result<(), Error> {
        self.client.delete_schedule(&self.id).await
    }
}
