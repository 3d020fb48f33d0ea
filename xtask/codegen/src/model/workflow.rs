//! Temporal workflows and activities.

use std::time::Duration;

use serde::Serialize;

use super::{Part, TypeRef};

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
    /// Template of its id, of fields of the argument; empty when there is none.
    pub workflow_id: Vec<Part>,
    /// What its runs are found by, in the contract's order.
    pub search_attributes: Vec<SearchAttribute>,
}

/// What runs of a workflow are found by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchAttribute {
    /// Name at the server.
    pub name: String,
    /// Type at the server: `Keyword`, `Int`, `Double`, `Bool` or `Datetime`.
    pub kind: &'static str,
    /// What it is set to.
    pub source: SearchSource,
}

/// What a search attribute is set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SearchSource {
    /// A field of the argument.
    Field {
        /// Name in the contract.
        name: String,
        /// Name in JSON.
        json_name: String,
    },
    /// The same for every run.
    Value(String),
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
