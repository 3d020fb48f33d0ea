//! The api: athletes, activities and connections to Strava, by HTTP and gRPC over one Postgres.
//!
//! - [`app`] puts everything together, as [`config`] says.
//! - [`athletes`], [`activities`], [`connections`]: `rpc` speaks the contract, `service` holds the
//!   rules and knows no transport, `repository` speaks to Postgres.
//! - [`outbox`] publishes what was promised in a transaction; [`sync`] lets one sync of an athlete run
//!   at a time; [`webhooks`] takes in what Strava tells unasked.
//! - [`dead_letters`] shows operators what could not be handled, of any deployable.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod activities;
pub mod app;
pub mod athletes;
pub mod clock;
pub mod config;
pub mod connections;
mod convert;
pub mod database;
pub mod dead_letters;
mod figures;
pub mod outbox;
mod page;
pub mod parts;
pub mod quota;
pub mod sync;
pub mod webhooks;
