//! `cargo xtask bench outbox`: the relay of the api's outbox, beside a plain loop.

use std::process::ExitCode;

use anyhow::Result;

use super::run_peers;

/// Measures messages a second from the api's outbox to the stream, and how long one takes.
///
/// One and two relays, and a loop that reads, publishes and marks row by row, empty the same
/// outbox into the same broker. Fails unless one relay reaches three times the loop where
/// messages have more than one subject; those of one subject go one after the other.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  cargo xtask bench outbox 11    with 11 rounds")]
pub struct Arguments {
    /// Rounds, of which the median counts.
    #[arg(default_value_t = 5)]
    rounds: u32,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        run_peers("bench-outbox", &[self.rounds.to_string()], &[])
    }
}
