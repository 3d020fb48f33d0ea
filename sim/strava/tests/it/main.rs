//! The simulator over real HTTP, as a client of Strava meets it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod activities;
mod faults;
mod oauth;
mod process;
mod quota;
mod webhooks;
mod world;
