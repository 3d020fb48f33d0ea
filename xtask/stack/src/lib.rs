//! The whole system as child processes, and the journey through it.
//!
//! [`Stack`] starts Postgres, NATS, Temporal, Vault if asked for, the Strava simulator and the
//! three services from their real binaries. [`journey`] does what users do: register,
//! consent, wait for the activities. [`verify`] compares what is in Postgres with
//! what the simulator says. `cargo xtask demo`, `cargo xtask up` and the
//! whole-system tests stand on it.

mod addresses;
mod binaries;
mod cargo;
pub mod journey;
mod launch;
pub mod operator;
mod options;
mod part;
pub mod report;
pub mod road;
mod stack;
mod start;
mod state;
pub mod telemetry;
mod vault;
pub mod verify;

pub use addresses::Addresses;
pub use binaries::Binaries;
pub use cargo::cargo;
pub use options::{Options, SecretStore};
pub use part::{Ending, Part};
pub use stack::{SCHEDULE, Stack};
