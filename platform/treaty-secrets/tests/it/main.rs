//! Both stores: one on disk, one at a server of Vault's API.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod captured;
mod file;
mod kubernetes;
mod support;
mod vault;
