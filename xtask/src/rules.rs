//! `cargo xtask rules`: which crate may depend on which.
//!
//! The rules hold the architecture: what is not declared in a contract cannot be
//! sent, because the libraries that send are out of reach. They are checked in three
//! ways: on the dependencies that each crate names ([`graph`]), on everything that a
//! service is built of in the end, and on the services' own sources ([`sources`]).
//! Each violation is told with the reason of its rule.

mod graph;
mod sources;

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// Checks that crates depend only on what the design allows.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask rules   # after a new dependency or crate")]
pub struct Arguments {}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        check()?;
        eprintln!("every crate depends only on what the design allows");
        Ok(ExitCode::SUCCESS)
    }
}

/// Fails with every violation.
pub(crate) fn check() -> Result<()> {
    let members = graph::members(&workspace::metadata()?);
    let mut violations = graph::violations(&members);
    for member in members.iter().filter(|member| member.folder.starts_with("services/")) {
        violations.extend(graph::reached(&member.folder, &built_of(&member.name)?));
    }
    violations.extend(sources::violations(&workspace::root().join("services"))?);
    if violations.is_empty() {
        return Ok(());
    }
    bail!("{} violations of the dependency rules:\n  {}", violations.len(), violations.join("\n  "))
}

/// Names of all crates that a crate is built of, with the features that it asks for:
/// `cargo metadata` would add those that other members ask for.
fn built_of(name: &str) -> Result<BTreeSet<String>> {
    let output = stack::cargo()
        .args(["tree", "--package", name, "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--target", "all"])
        .current_dir(workspace::root())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo tree failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}
