//! The worker: dispatches one job for each connected athlete, on a schedule, and for one on demand.
//!
//! - [`app`] puts everything together, as [`config`] says.
//! - [`schedules`] says when workflows are started.
//! - [`workflows`] decides what happens in which order, and nothing else: Temporal may run it again.
//! - [`activities`] does the work: asks the api for athletes and publishes jobs.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod activities;
pub mod app;
pub mod config;
pub mod schedules;
pub mod workflows;
