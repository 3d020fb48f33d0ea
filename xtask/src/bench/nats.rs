//! `cargo xtask bench nats`: publishing and handling, beside loops over async-nats.

use std::process::ExitCode;

use anyhow::Result;

use super::run_peers;

/// Measures messages a second through one nats-server: published, and handled.
///
/// Fails unless `publish_all` reaches 3.5 times ten tasks that await each confirmation, 0.95
/// of the best loop over async-nats that checks every confirmation, and in atomic batches
/// 20 times publishing one by one where the server syncs to disk before it confirms; unless
/// a publisher fed a million messages stays under 64 MiB; and unless `run_handler` reaches
/// 0.9 of a loop, with acknowledgements that are confirmed and with such that are not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench nats 11            # with 11 rounds
  cargo xtask bench nats --handling    # handling alone")]
pub struct Arguments {
    /// Rounds, of which the median counts.
    #[arg(default_value_t = 7)]
    rounds: u32,
    /// Measures handling alone.
    #[arg(long)]
    handling: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let mut arguments = vec![self.rounds.to_string()];
        arguments.extend(self.handling.then(|| "handling".to_owned()));
        run_peers("bench-nats", &arguments, &[])
    }
}
