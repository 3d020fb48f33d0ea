//! Tests of the crate on a real nats-server.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batches;
mod dead_letters;
mod faults;
mod handler;
mod handling;
mod harness;
mod publishing;
mod publishing_faults;
mod sharing;
mod streams;
mod support;
