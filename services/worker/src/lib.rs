//! The worker: runs the Temporal workflows that dispatch jobs.
//!
//! - [`app`] puts everything together, as [`config`] says.
//! - [`workflows`] holds one file for each workflow, [`activities`] one for each activity.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod activities;
pub mod app;
pub mod config;
pub mod workflows;
