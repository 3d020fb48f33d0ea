//! The runtime under generated Temporal names and starters.
//!
//! The only platform crate that knows the Temporal SDK. Generated code names
//! each workflow and activity with a type that implements [`WorkflowContract`]
//! or [`ActivityContract`]; everything else follows from that type:
//!
//! - [`Starter`] starts, awaits and schedules a workflow, over any
//!   [`WorkflowClient`]: a [`Connection`] to a server, or memory in tests
//!   (`testing`, behind the feature of that name).
//! - [`Worker`] registers workflows and activities and refuses those whose name,
//!   types or task queue differ from the contract.
//! - [`execute_activity`] calls an activity inside a workflow with the timeouts
//!   and retries that the contract declares.
//!
//! Payloads are proto3 JSON: any message that implements serde's traits.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod activity;
mod client;
mod config;
mod connection;
mod contract;
mod error;
mod refusal;
mod schedule;
mod search;
mod server;
mod starter;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod versioning;
mod worker;

pub use activity::{ActivityContext, ActivityHandler, execute_activity, execute_activity_with};
pub use client::{OnConflict, RunRef, ScheduleRequest, StartRequest, WorkflowClient};
pub use config::{TemporalConfig, TlsConfig};
pub use connection::{Connection, connect};
pub use contract::{
    ActivityContract, ActivitySpec, NamedWorkflow, RetrySpec, SearchAttributeKind,
    SearchAttributeSource, SearchAttributeSpec, WorkflowContract, WorkflowSpec,
};
pub use error::Error;
pub use schedule::{Overlap, ScheduleHandle, ScheduleRun, ScheduleSpec, ScheduleStatus};
pub use starter::{Starter, WorkflowRun};
pub use versioning::{DeploymentConfig, VersionChange};
pub use worker::{Worker, WorkerConfig};

/// The options of an activity call inside a workflow.
pub use temporalio_workflow::ActivityOptions;
