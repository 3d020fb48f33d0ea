//! Tests of the crate through its public API.

mod config;
mod health;
mod shutdown;
