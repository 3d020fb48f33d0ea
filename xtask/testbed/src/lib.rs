//! Finds, installs and runs the external servers that tests and the demo need.
//!
//! [`Tools`] answers where Postgres, nats-server, the Temporal CLI, OpenBao and buf are, and installs
//! the pinned version when the machine has none that will do. [`Postgres`], [`NatsServer`],
//! [`TemporalServer`] and [`BaoServer`] run them as child processes on a [`Leashed`] process, so that nothing outlives
//! the process that started it, however that one ends. Everything here is blocking: async code calls
//! it from `spawn_blocking`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod bao;
mod documents;
pub mod http;
mod nats;
mod postgres;
pub mod process;
mod prometheus;
mod proxy;
mod run_directory;
mod shared;
mod temporal;
pub mod tools;
mod unique;
mod volume;
mod wait;

pub use bao::BaoServer;
pub use documents::{judge_answers, judge_documents};
pub use nats::{NatsOptions, NatsServer};
pub use postgres::{Postgres, PostgresOptions};
pub use process::{Launch, Leashed, Memory, Signal};
pub use prometheus::Prometheus;
pub use proxy::{Fault, TcpProxy};
pub use run_directory::RunDirectory;
pub use shared::{fresh_database, shared_nats, shared_postgres};
pub use temporal::TemporalServer;
pub use tools::{Tool, Tools};
pub use unique::fresh_name;
pub use volume::SmallVolume;
pub use wait::{free_port, wait_until};
