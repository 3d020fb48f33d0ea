//! The consumer: fetches athletes' activities from Strava and hands them to the api.
//!
//! - [`app`] puts everything together, as [`config`] says.
//! - [`handlers`] holds one file for each job that this service handles.
//! - [`strava`] reads Strava's API: what it lists, what its refusals mean, whether the quota allows a
//!   call.
//! - [`errand`] is what Strava is asked for, with its time.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod app;
pub mod config;
pub mod errand;
pub mod handlers;
pub mod strava;
