//! The api on a real Postgres, a real nats-server and a simulated Strava.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod activities;
mod app;
mod athletes;
mod connections;
mod dead_letters;
mod outbox;
mod outbox_broker;
mod outbox_process;
mod process;
mod quota;
mod rotation;
mod stream;
mod support;
mod sync;
mod sync_races;
mod token_process;
mod webhook_inbox;
mod webhooks;
