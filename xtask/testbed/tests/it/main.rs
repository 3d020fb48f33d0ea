//! Starts every server for real.

mod nats;
mod postgres;
mod temporal;
mod tools;
