//! `cargo xtask doctor`: what this machine has and what is missing.

use std::process::{Command, ExitCode};

use anyhow::Result;
use testbed::Tools;

/// Tells which external tools are there, and what to do about those that are not.
///
/// Installs nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask doctor   # on a new machine, before `cargo xtask test`")]
pub struct Arguments {}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let mut fine = true;
        for (tool, why) in [
            ("cargo", "builds everything"),
            ("go", "builds nats-server and temporal where the machine has none"),
            ("npm", "installs buf where the machine has none"),
        ] {
            let version = version(tool);
            println!(
                "{tool:<12} {:<8} {}",
                if version.is_some() { "ok" } else { "missing" },
                version.unwrap_or_else(|| why.to_owned())
            );
        }
        for finding in Tools::new()?.doctor() {
            println!("{finding}");
            fine &= finding.ok;
        }
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// First line of what the tool says about itself.
fn version(tool: &str) -> Option<String> {
    let argument = if tool == "go" { "version" } else { "--version" };
    let output = Command::new(tool).arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}
