//! The activities on stand-ins, the process, and the whole worker on real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod api;
mod dispatch;
mod killed;
mod long_dispatch;
mod on_demand;
mod process;
mod publish_sync_jobs;
mod replay;
mod schedules;
mod servers;
mod single;
mod world;
