//! `cargo xtask bench`: measurements, with what they are measured against.

mod codegen;
mod http;
mod json;
mod nats;
mod outbox;
mod road;
mod scale;
mod upsert;
mod validate;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::workspace;

/// Measures how fast things are here.
#[derive(Debug, clap::Subcommand)]
pub enum Bench {
    Codegen(codegen::Arguments),
    Http(http::Arguments),
    Json(json::Arguments),
    Nats(nats::Arguments),
    Outbox(outbox::Arguments),
    Road(road::Arguments),
    Scale(scale::Arguments),
    Upsert(upsert::Arguments),
    Validate(validate::Arguments),
}

impl Bench {
    pub fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Codegen(arguments) => arguments.run(),
            Self::Http(arguments) => arguments.run(),
            Self::Json(arguments) => arguments.run(),
            Self::Nats(arguments) => arguments.run(),
            Self::Outbox(arguments) => arguments.run(),
            Self::Road(arguments) => arguments.run(),
            Self::Scale(arguments) => arguments.run(),
            Self::Upsert(arguments) => arguments.run(),
            Self::Validate(arguments) => arguments.run(),
        }
    }
}

/// Builds and runs a package of the workspace `bench`, optimized. It is a workspace of its
/// own, so that peers stay out of the main lock file. Contracts that may be imported are
/// found by this command, and named in `TREATY_INCLUDES`.
fn run_peers(
    package: &str,
    arguments: &[String],
    environment: &[(&str, &Path)],
) -> Result<ExitCode> {
    let mut includes = vec![workspace::root().join("contracts")];
    includes.extend(workspace::includes()?);
    let includes = std::env::join_paths(includes).context("a directory of contracts has a `:`")?;
    let status = stack::cargo()
        .args(["run", "--release", "--locked", "--quiet", "--package", package])
        .arg("--target-dir")
        .arg(workspace::root().join("target/bench"))
        .arg("--")
        .args(arguments)
        .env("TREATY_INCLUDES", includes)
        .envs(environment.iter().copied())
        .current_dir(workspace::root().join("bench"))
        .status()
        .context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
