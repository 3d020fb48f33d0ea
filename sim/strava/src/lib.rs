//! A faithful Strava, because the real one cannot be called from a test.
//!
//! The simulator speaks the part of Strava's HTTP interface that a synchronising application needs:
//! consent, tokens, paging, rate limits and webhooks. Its athletes and activities are pure functions
//! of a seed, so a run repeats exactly and a million athletes cost no memory.
//!
//! Tests embed it with [`Simulator::start`]; everything else runs the `strava-sim` binary.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod activities;
mod app;
mod catalogue;
mod changes;
mod clock;
mod config;
mod control;
mod counters;
pub mod digest;
mod faults;
mod generate;
mod grants;
mod listener;
mod oauth;
mod params;
mod profile;
mod quota;
mod random;
mod reply;
mod scope;
mod state;
mod summary;
mod timeline;
mod track;
mod webhooks;

pub use app::{Simulator, StartError};
pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{QuotaWindows, RateLimits, RefreshRotation, SimulatorConfig};
pub use faults::{FaultPlan, FaultPlanError, FaultRoutes};
pub use generate::{ACTIVITY_ID_BASE, ATHLETE_ID_BASE, MAX_ACTIVITIES_PER_ATHLETE, MAX_ATHLETES};
