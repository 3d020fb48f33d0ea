//! The workshop's verbs as processes, on contracts and workspaces of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod breaking;
mod deploy;
mod scaffold;
