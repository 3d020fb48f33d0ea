//! Tests of the crate through its public API.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod config;
mod health;
mod shutdown;
