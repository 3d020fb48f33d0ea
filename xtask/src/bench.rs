//! `cargo xtask bench`: measurements, with what they are measured against.

mod codegen;

use std::process::ExitCode;

use anyhow::Result;

/// Measures how fast things are here.
#[derive(Debug, clap::Subcommand)]
pub enum Bench {
    Codegen(codegen::Arguments),
}

impl Bench {
    pub fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Codegen(arguments) => arguments.run(),
        }
    }
}
