//! How much memory a publisher takes that is fed a million messages: measured in a process
//! of its own, from which nothing else has taken any.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use testbed::Memory;
use treaty_nats::{NatsConfig, connect};

use crate::publishing;

/// The first argument of the process.
pub const VERB: &str = "feed";

/// Messages that it is fed.
pub const MESSAGES: usize = 1_000_000;

/// Runs the process; gives the most bytes that it had resident.
pub fn of_a_publisher(url: &str) -> Result<u64> {
    let program = std::env::current_exe().context("the path of this program")?;
    let output = Command::new(program).args([VERB, url]).output().context("running ourselves")?;
    let (told, error) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the publisher failed: {error}");
    told.trim().parse().with_context(|| format!("a number of bytes, not {told}"))
}

/// The process: publishes and prints the most bytes that it had resident.
pub async fn feed(url: &str) -> Result<ExitCode> {
    let connection = connect(&NatsConfig::new(url)).await?;
    publishing::ours(&connection, "memory", MESSAGES, false).await?;
    println!("{}", Memory::of(std::process::id())?.peak);
    Ok(ExitCode::SUCCESS)
}
