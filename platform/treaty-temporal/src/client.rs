//! What a starter needs of Temporal: the seam at which tests stand in for it.

use async_trait::async_trait;
use serde_json::Value;

use crate::{Error, ScheduleSpec, ScheduleStatus, WorkflowSpec};

/// Starts and schedules workflows, whatever their types.
///
/// [`Connection`](crate::Connection) talks to a server;
/// `testing::InMemoryWorkflows` records the calls and answers from memory.
#[async_trait]
pub trait WorkflowClient: Send + Sync {
    /// Starts a workflow.
    async fn start(&self, request: StartRequest) -> Result<RunRef, Error>;

    /// Waits for the workflow to end, following retries and continuations.
    async fn result(&self, run: &RunRef) -> Result<Value, Error>;

    /// Asks the workflow to stop, which it may take time to do.
    async fn cancel(&self, run: &RunRef, reason: &str) -> Result<(), Error>;

    /// Ends the workflow at once, without asking it.
    async fn terminate(&self, run: &RunRef, reason: &str) -> Result<(), Error>;

    /// Creates the schedule, or makes the existing one equal to the request. An
    /// existing schedule stays paused if it is.
    async fn put_schedule(&self, request: ScheduleRequest) -> Result<(), Error>;

    /// Starts the scheduled workflow now, subject to the overlap policy.
    async fn trigger_schedule(&self, schedule_id: &str) -> Result<(), Error>;

    /// Stops further starts until resumed.
    async fn pause_schedule(&self, schedule_id: &str, note: &str) -> Result<(), Error>;

    /// Undoes a pause.
    async fn resume_schedule(&self, schedule_id: &str, note: &str) -> Result<(), Error>;

    /// What the schedule is and has done.
    async fn describe_schedule(&self, schedule_id: &str) -> Result<ScheduleStatus, Error>;

    /// Deletes the schedule; workflows that it started go on.
    async fn delete_schedule(&self, schedule_id: &str) -> Result<(), Error>;
}

/// A workflow to start.
#[derive(Clone, Debug, PartialEq)]
pub struct StartRequest {
    /// Name, task queue and timeouts.
    pub workflow: &'static WorkflowSpec,
    /// The id, unique among the running workflows of the namespace: the key that
    /// makes a repeated start harmless.
    pub workflow_id: String,
    /// What a running workflow with the same id means.
    pub on_conflict: OnConflict,
    /// The input as proto3 JSON.
    pub input: Value,
}

/// What to do when a workflow with the same id is running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Answer [`Error::AlreadyStarted`].
    #[default]
    Fail,
    /// Join the one that runs.
    UseExisting,
}

/// One run of a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRef {
    /// The workflow type.
    pub workflow: &'static str,
    /// The id.
    pub workflow_id: String,
    /// The run; without it, the latest of that id.
    pub run_id: Option<String>,
}

/// A schedule to create or to update.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleRequest {
    /// The workflow that it starts.
    pub workflow: &'static WorkflowSpec,
    /// When, and under which id.
    pub schedule: ScheduleSpec,
    /// The input of every start, as proto3 JSON.
    pub input: Value,
}
