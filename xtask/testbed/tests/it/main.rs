//! Starts every server for real.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bao;
mod documents;
mod nats;
mod postgres;
mod prometheus;
mod proxy;
mod temporal;
mod tools;
