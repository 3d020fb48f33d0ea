//! A server and a client of this crate talk over a real connection.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod balance;
mod calls;
mod echo;
mod server;
mod stopping;
