//! Starts every server for real.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod nats;
mod postgres;
mod temporal;
mod tools;
