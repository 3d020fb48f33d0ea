//! Whole-system tests: every process is real, and is started by the test.

mod broker;
mod clients;
mod consumer_killed;
mod dead_letters;
mod faults;
mod operations;
mod quota;
mod reconciled;
mod secrets;
mod telemetry;
mod webhooks;
mod whole_system;

use std::path::Path;
use std::sync::OnceLock;

use anyhow::Result;
use stack::{Binaries, Options, Stack};
use testbed::{RunDirectory, Tools};

/// Starts a system of its own for a test. Systems of several tests run side by side.
fn start(options: &Options) -> Result<(Stack, RunDirectory)> {
    static BINARIES: OnceLock<Result<Binaries, String>> = OnceLock::new();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let binaries = BINARIES
        .get_or_init(|| Binaries::build(&workspace).map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let directory = RunDirectory::create("treaty-e2e")?;
    let tools = Tools::new()?;
    let stack =
        Stack::start(&tools, binaries, options, directory.path(), |line| eprintln!("{line}"))?;
    Ok((stack, directory))
}
