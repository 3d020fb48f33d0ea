//! `cargo xtask conformance`: public suites, run against what is generated here.

pub mod json;
pub mod validate;

use std::process::ExitCode;

use anyhow::Result;

/// Runs a public suite against what is generated here.
#[derive(Debug, clap::Subcommand)]
pub enum Conformance {
    Json(json::Arguments),
    Validate(validate::Arguments),
}

impl Conformance {
    pub fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Json(arguments) => arguments.run(),
            Self::Validate(arguments) => arguments.run(),
        }
    }
}
