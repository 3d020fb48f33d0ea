//! The plugin as buf runs it, and as a compiler speaks to it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod buf;
