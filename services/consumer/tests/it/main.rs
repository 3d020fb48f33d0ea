//! The consumer with everything that it stands on: Strava's simulator, a real nats-server, and an
//! api that answers over real gRPC.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod api;
mod handler;
mod hostile;
mod interrupted;
mod jobs;
mod process;
mod quota;
mod simulator;
mod strava_client;
mod wait;
