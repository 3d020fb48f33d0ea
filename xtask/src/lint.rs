//! `cargo xtask lint`: buf on the contracts.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use testbed::{Tool, Tools};

use crate::workspace;

/// Lints the contracts with buf.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        buf_lint(&Tools::new()?.ensure(Tool::Buf)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Runs `buf lint` with this binary.
pub fn buf_lint(buf: &Path) -> Result<()> {
    put_includes()?;
    let status = Command::new(buf)
        .arg("lint")
        .current_dir(workspace::root())
        .status()
        .with_context(|| format!("cannot run {}", buf.display()))?;
    if !status.success() {
        bail!("buf lint has found something: see above");
    }
    Ok(())
}

/// Puts Google's contracts where buf.yaml looks for them.
fn put_includes() -> Result<PathBuf> {
    let source = workspace::google_api_protos()?.join("google/api");
    let includes = workspace::root().join("target/contracts-include");
    let target = includes.join("google/api");
    std::fs::create_dir_all(&target)?;
    for name in ["annotations.proto", "http.proto"] {
        std::fs::copy(source.join(name), target.join(name))?;
    }
    Ok(includes)
}
