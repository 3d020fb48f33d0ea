//! `cargo xtask nats`: streams and consumers of a server, held against the contracts.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::program;

/// Plans, applies and watches the streams and consumers of a NATS server.
///
/// `plan` shows what would change, `apply` changes it and refuses what would lose
/// data, `drift` fails when the server is not as the contracts say. Builds and runs
/// the program treaty-topology, which ships beside the services and needs no Cargo;
/// `cargo xtask nats plan --help` shows its options.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:
  cargo xtask nats plan
  cargo xtask nats apply --url nats://127.0.0.1:4222
  cargo xtask nats drift --format json"
)]
pub struct Arguments {
    /// `plan`, `apply` or `drift`, and its options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        program::run(&mut program::command("treaty-topology", &self.arguments))
    }
}
