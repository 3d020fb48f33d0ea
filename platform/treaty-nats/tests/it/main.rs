//! Tests of the crate on a real nats-server.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dead_letters;
mod faults;
mod handling;
mod harness;
mod publishing;
mod sharing;
mod streams;
mod support;
