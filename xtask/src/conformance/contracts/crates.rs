//! Crates of contracts, and what Cargo says of them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::sets::Set;
use super::tally::Counts;
use crate::codegen_command::foreign::Request;
use crate::workspace;

/// Writes the crate of a set.
pub fn generate(set: &Set, root: &Path) -> Result<Counts> {
    let out = root.join("crates").join(&set.name);
    let request = Request::of(set.contracts.clone(), set.includes.clone(), out.clone(), &set.name)?;
    let (contracts, model) = request.read()?;
    let files = request.emit(&contracts, &model)?;
    codegen::write::write(&out, &files)?;
    Ok(Counts::of(&contracts, &model))
}

/// Has clippy and rustdoc judge the crate of a set, with all its features.
pub fn compile(set: &Set, root: &Path) -> Result<()> {
    write_workspace(root, &set.name)?;
    cargo(root, &["clippy", "--quiet", "--all-features", "--", "--deny", "warnings"])?;
    cargo(root, &["doc", "--quiet", "--no-deps", "--all-features"])
}

/// Makes one crate a workspace with the lock file and the profiles of this one, so that
/// dependencies are those that are built already.
fn write_workspace(root: &Path, name: &str) -> Result<()> {
    let own = workspace::root();
    fs::copy(own.join("Cargo.lock"), root.join("Cargo.lock")).context("copying Cargo.lock")?;
    let manifest: toml::Table = fs::read_to_string(own.join("Cargo.toml"))?.parse()?;
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = [\"crates/{name}\"]\n");
    if let Some(profiles) = manifest.get("profile") {
        let table = toml::Table::from_iter([("profile".to_owned(), profiles.clone())]);
        let _ = write!(text, "\n{table}");
    }
    fs::write(root.join("Cargo.toml"), text).context("writing the workspace")
}

fn cargo(directory: &Path, arguments: &[&str]) -> Result<()> {
    let output = stack::cargo()
        .args(arguments)
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", workspace::root().join("target"))
        .env("RUSTDOCFLAGS", "--deny warnings")
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
