//! `cargo xtask lint`: buf's opinion of the contracts.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use testbed::{Tool, Tools};

use crate::workspace;

/// Where `buf.yaml` expects the contracts that are not ours.
const INCLUDES: &str = "target/contracts-include";

/// Judges the style and the format of the contracts with buf.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask lint   # after a change of the contracts")]
pub struct Arguments {}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        buf_lint(&Tools::new()?.ensure(Tool::Buf)?)?;
        eprintln!("the contracts pass buf lint and are formatted");
        Ok(ExitCode::SUCCESS)
    }
}

/// Runs `buf lint` on the contracts, and checks that `buf format` would change nothing.
pub(crate) fn buf_lint(buf: &Path) -> Result<()> {
    provide_includes()?;
    run(buf, &["lint"], "the contracts do not pass `buf lint`")?;
    let unformatted = "the contracts are not formatted: run `buf format -w contracts`";
    run(buf, &["format", "--diff", "--exit-code", "contracts"], unformatted)
}

/// Runs `cargo deny` on what needs no network: who may come in, from where, by which licence.
pub(crate) fn deny(tools: &Tools) -> Result<()> {
    let status = Command::new(tools.ensure(Tool::CargoDeny)?)
        .args(["--locked", "--log-level", "error", "check", "--hide-inclusion-graph"])
        .args(["bans", "licenses", "sources"])
        .current_dir(workspace::root())
        .status()
        .context("cannot run cargo-deny")?;
    if !status.success() {
        bail!("deny.toml does not allow a crate: see above, and decide on it there");
    }
    Ok(())
}

/// Puts imported contracts where `buf.yaml` expects them, unless they are there.
pub(crate) fn provide_includes() -> Result<()> {
    let target = workspace::root().join(INCLUDES);
    for (from, name) in codegen::carried::imports(&workspace::root())? {
        let to = target.join(name);
        let text = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
        if fs::read(&to).is_ok_and(|present| present == text) {
            continue;
        }
        let written =
            to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&to, text));
        written.with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

fn run(buf: &Path, arguments: &[&str], failure: &str) -> Result<()> {
    let status = Command::new(buf)
        .args(arguments)
        .current_dir(workspace::root())
        .status()
        .with_context(|| format!("cannot run {}", buf.display()))?;
    if !status.success() {
        bail!("{failure}");
    }
    Ok(())
}
