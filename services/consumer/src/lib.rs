//! The consumer: fetches athletes' activities from Strava and hands them to the api.
//!
//! - [`app`] puts everything together, as [`config`] says.
//! - [`handlers`] holds one file for each job that this service handles.
//! - [`strava`] reads Strava's API: what it lists, what its refusals mean, what is left of the quota.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod app;
pub mod config;
pub mod handlers;
pub mod strava;
