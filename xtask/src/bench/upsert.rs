//! `cargo xtask bench upsert`: the api's way to write activities, beside a bare loop.

use std::process::ExitCode;

use anyhow::Result;

use super::run_peers;

/// Measures activities a second into Postgres, as the api writes them and by a bare loop.
///
/// Both write the same batches over one connection to the same server, whose commits are on
/// disk before they are acknowledged: new rows, and rows that have changed. Fails unless the
/// api reaches 0.8 of the loop, which neither fences nor counts nor checks anything.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  cargo xtask bench upsert 11    with 11 rounds")]
pub struct Arguments {
    /// Rounds, of which the median counts.
    #[arg(default_value_t = 7)]
    rounds: u32,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        run_peers("bench-upsert", &[self.rounds.to_string()], &[])
    }
}
