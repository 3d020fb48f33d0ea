//! `cargo xtask codegen`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use codegen::File;
use codegen::write::Changes;

use crate::workspace;

/// Turns the contracts and the migrations into everything under `gen/`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write nothing; fail when `gen/` is not what the contracts say.
    #[arg(long)]
    check: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        if self.check {
            check()?;
            return Ok(ExitCode::SUCCESS);
        }
        let started = Instant::now();
        let files = generate()?;
        let changes = codegen::write::write(&output(), &files)?;
        list(&changes);
        eprintln!("{} files in {} ms", files.len(), started.elapsed().as_millis());
        Ok(ExitCode::SUCCESS)
    }
}

/// Fails, with a list, when `gen/` is not what the contracts say.
pub fn check() -> Result<()> {
    let changes = codegen::write::check(&output(), &generate()?)?;
    list(&changes);
    if !changes.is_empty() {
        bail!("gen/ is not what the contracts say: run `cargo xtask codegen` and commit");
    }
    Ok(())
}

fn output() -> PathBuf {
    workspace::root().join("gen")
}

/// Everything that belongs under `gen/`. Nothing is written before all of it is there.
fn generate() -> Result<Vec<File>> {
    let root = workspace::root();
    let contracts = codegen::load::load(&root.join("contracts"), &workspace::includes()?)?;
    let model = codegen::lower::lower(&contracts)?;
    let mut files = codegen::emit::emit(&model, &contracts);
    files.extend(codegen::schema::emit(&codegen::schema::load(&root.join("migrations"))?));
    Ok(files)
}

fn list(changes: &Changes) {
    let kinds =
        [("added", &changes.added), ("changed", &changes.changed), ("stale", &changes.stale)];
    for (kind, paths) in kinds {
        for path in paths {
            eprintln!("{kind:>8}  gen/{path}");
        }
    }
}
