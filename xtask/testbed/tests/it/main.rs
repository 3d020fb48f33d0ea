//! Starts every server for real.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bao;
mod documents;
mod nats;
mod postgres;
mod proxy;
mod temporal;
mod tools;
