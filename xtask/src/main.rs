//! The workshop: every command a developer of Treaty runs.

mod codegen_command;
mod workspace;

use clap::Parser;

/// Builds, runs and checks Treaty.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    Codegen(codegen_command::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Codegen(arguments) => arguments.run(),
    }
}
