//! The crate against a real Temporal server, and what needs none.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod contracts;
mod in_memory;
mod registration;
mod replay;
mod search;
mod server;
mod trace;
mod versioning;
