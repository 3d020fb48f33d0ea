//! `cargo xtask bench json`: the mapping to JSON, beside pbjson.

use std::process::ExitCode;

use anyhow::Result;

use super::run_peers;

/// Measures how long messages of the api take to write and read as JSON, beside pbjson.
///
/// Fails unless writing takes no longer than pbjson, and reading at most half of its time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench json")]
pub struct Arguments {
    /// Measurements of each peer, of which the lower quartile counts.
    #[arg(default_value_t = 61)]
    rounds: u32,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        run_peers("bench-json", &[self.rounds.to_string()], &[])
    }
}
