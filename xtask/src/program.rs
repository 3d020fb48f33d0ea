//! Programs of this workspace that ship beside the services, run by a verb.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::workspace;

/// Builds a program and runs it with these arguments.
pub fn command(package: &str, arguments: &[OsString]) -> Command {
    let mut command = stack::cargo();
    command
        .args(["run", "--quiet", "--package", package, "--"])
        .args(arguments)
        .current_dir(workspace::root());
    command
}

/// Waits for the end; the program's exit status becomes the verb's.
pub fn run(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().context("cannot run cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
