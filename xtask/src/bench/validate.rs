//! `cargo xtask bench validate`: the contract's rules, beside prost-protovalidate.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use testbed::{Tool, Tools};

use super::run_peers;
use crate::workspace;

/// Measures how long messages of the api take to check, beside prost-protovalidate.
///
/// Its two ways are measured: by reflection, and compiled, which leaves expressions out.
/// Fails when one of them is faster.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench validate")]
pub struct Arguments {
    /// Measurements of each peer, of which the lower quartile counts.
    #[arg(default_value_t = 61)]
    rounds: u32,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let protoc = protoc(&Tools::new()?)?;
        run_peers("bench-validate", &[self.rounds.to_string()], &[("PROTOC", &protoc)])
    }
}

/// What the peer is built with: the protoc that comes with the plugin for Python.
fn protoc(tools: &Tools) -> Result<PathBuf> {
    let plugin = tools.ensure(Tool::ProtocGenGrpcio)?;
    let python = plugin.parent().unwrap_or(Path::new("")).join("python");
    let protoc = workspace::root().join("target/bench/protoc");
    let failed = || format!("cannot write {}", protoc.display());
    fs::create_dir_all(workspace::root().join("target/bench")).with_context(failed)?;
    let text = format!("#!/bin/sh\nexec '{}' -m grpc_tools.protoc \"$@\"\n", python.display());
    fs::write(&protoc, text).with_context(failed)?;
    fs::set_permissions(&protoc, fs::Permissions::from_mode(0o755)).with_context(failed)?;
    Ok(protoc)
}
