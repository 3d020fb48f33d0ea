//! `cargo xtask conformance`: public suites, run against what is generated here.

pub mod contracts;
pub mod http;
pub mod json;
pub mod validate;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// Runs a public suite against what is generated here.
#[derive(Debug, clap::Subcommand)]
pub enum Conformance {
    Contracts(contracts::Arguments),
    Http(http::Arguments),
    Json(json::Arguments),
    Validate(validate::Arguments),
}

impl Conformance {
    pub fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Contracts(arguments) => arguments.run(),
            Self::Http(arguments) => arguments.run(),
            Self::Json(arguments) => arguments.run(),
            Self::Validate(arguments) => arguments.run(),
        }
    }
}

/// The directory of a Go module that a go.mod pins; fetched once, checked by go.sum.
fn go_module(pinned_in: &str, module: &str) -> Result<PathBuf> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", module])
        .current_dir(workspace::root().join(pinned_in))
        // A workspace of the developer's must not replace what go.mod pins.
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .output()
        .context("cannot run go, which fetches a suite's contracts")?;
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    match found["Dir"].as_str() {
        Some(directory) => Ok(PathBuf::from(directory)),
        None => bail!("go fetched no {module}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}
