//! `cargo xtask bench http`: the JSON gateway beside what one would use instead.

use std::process::ExitCode;

use anyhow::Result;

/// Measures the server's CPU time for each request of the JSON gateway.
///
/// In one run: the same handler behind axum and serde by hand, behind `rest_over_grpc`,
/// and behind ours, with routes alone and with all that a product needs. Fails when ours is
/// dearer than it may be: docs/gateway.md has the limits.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench http")]
pub struct Arguments {
    /// Requests of each kind in each round.
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000)]
    requests: u32,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        super::run_peers("bench-http", &[self.requests.to_string()], &[])
    }
}
