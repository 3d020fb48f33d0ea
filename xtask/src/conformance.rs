//! `cargo xtask conformance`: public suites, run against what is generated here.

pub mod validate;

use std::process::ExitCode;

use anyhow::Result;

/// Runs a public suite against what is generated here.
#[derive(Debug, clap::Subcommand)]
pub enum Conformance {
    Validate(validate::Arguments),
}

impl Conformance {
    pub fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Validate(arguments) => arguments.run(),
        }
    }
}
