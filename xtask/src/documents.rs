//! `cargo xtask documents`: what others' validators say of the generated documents.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use testbed::Tools;

use crate::workspace;

/// Judges gen/openapi and gen/asyncapi with validators that others wrote.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask documents   # after `cargo xtask codegen`")]
pub struct Arguments {}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let judged = check(&Tools::new()?)?;
        eprintln!("{judged} documents pass");
        Ok(ExitCode::SUCCESS)
    }
}

/// Fails, with every problem, when a document is wrong; tells how many there are.
pub fn check(tools: &Tools) -> Result<usize> {
    let mut documents = Vec::new();
    for folder in ["gen/openapi", "gen/asyncapi"] {
        documents.extend(files(&workspace::root().join(folder))?);
    }
    if documents.is_empty() {
        bail!("there are no documents: run `cargo xtask codegen`");
    }
    documents.sort();
    testbed::judge_documents(tools, &documents)?;
    Ok(documents.len())
}

fn files(directory: &PathBuf) -> Result<Vec<PathBuf>> {
    let unreadable = || format!("reading {}", directory.display());
    let entries = std::fs::read_dir(directory).with_context(unreadable)?;
    entries.map(|entry| Ok(entry.with_context(unreadable)?.path())).collect()
}
