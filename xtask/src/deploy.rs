//! `cargo xtask deploy`: what runs the services elsewhere, judged here.

mod accept;
mod agree;
mod check;
mod keys;
mod lint;
mod references;
mod render;
mod schemas;

use std::process::ExitCode;

use anyhow::Result;

pub use accept::check as check_configuration;
pub use check::check;

/// Judges what runs the services elsewhere.
#[derive(Debug, clap::Subcommand)]
pub enum Deploy {
    Check(check::Arguments),
}

impl Deploy {
    pub fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Check(arguments) => arguments.run(),
        }
    }
}
