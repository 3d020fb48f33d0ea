//! Temporal workflows and activities.

use std::time::Duration;

use serde::Serialize;

use super::TypeRef;

/// A service that is a set of Temporal workflows and activities.
#[derive(Clone, Debug, Serialize)]
pub struct WorkflowService {
    /// For example `DispatchService`.
    pub name: String,
    /// Full proto name.
    pub full_name: String,
    /// Name of its module.
    pub module: String,
    /// Comment of the contract.
    pub comment: String,
    /// Task queue.
    pub task_queue: String,
    /// Workflows.
    pub workflows: Vec<Workflow>,
    /// Activities.
    pub activities: Vec<Activity>,
}

/// A workflow.
#[derive(Clone, Debug, Serialize)]
pub struct Workflow {
    /// Its Temporal type name.
    pub name: String,
    /// Comment of the contract.
    pub comment: String,
    /// Argument.
    pub input: TypeRef,
    /// Result.
    pub output: TypeRef,
    /// Limit over all runs.
    pub execution_timeout: Option<Duration>,
    /// Limit of one run.
    pub run_timeout: Option<Duration>,
}

/// An activity.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    /// Its Temporal type name.
    pub name: String,
    /// Comment of the contract.
    pub comment: String,
    /// Argument.
    pub input: TypeRef,
    /// Result.
    pub output: TypeRef,
    /// Limit of one attempt.
    pub start_to_close: Duration,
    /// Limit between heartbeats.
    pub heartbeat: Option<Duration>,
    /// Limit over all attempts.
    pub schedule_to_close: Option<Duration>,
    /// How attempts are repeated.
    pub retry: Retry,
}

/// Exponential retry, with Temporal's own defaults filled in.
#[derive(Clone, Debug, Serialize)]
pub struct Retry {
    /// Wait before the second attempt.
    pub initial_interval: Duration,
    /// Factor between waits.
    pub backoff_coefficient: f64,
    /// Longest wait.
    pub maximum_interval: Option<Duration>,
    /// Attempts in all; 0 is without limit.
    pub maximum_attempts: u32,
}
