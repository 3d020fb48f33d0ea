//! `cargo xtask codegen`.

pub mod foreign;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use codegen::File;
use codegen::write::Changes;

use crate::workspace;

/// Turns contracts into code.
///
/// Without arguments: contracts/ and migrations/ of this workspace into everything under
/// gen/, a crate for each package.
///
/// With --contracts or --image: anybody's contracts into one crate of its own, with a
/// module for each package. Proto2, proto3 and edition 2023 are understood; options of
/// treaty.v1 and google.api.http are used where they stand and needed nowhere.
/// docs/generator.md tells what is made of what.
///
///   cargo xtask codegen --contracts protos/acme --include protos --out acme --package acme \
///       --allow-undeclared-access
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Write nothing; fail when the output is not what the contracts say.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    foreign: foreign::Arguments,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let started = Instant::now();
        if let Some(request) = self.foreign.request()? {
            let files = request.generate()?;
            let changes = if self.check {
                codegen::write::check(&request.out, &files)?
            } else {
                codegen::write::write(&request.out, &files)?
            };
            list(&changes, &request.out.display().to_string());
            if self.check && !changes.is_empty() {
                bail!("{} is not what the contracts say", request.out.display());
            }
            eprintln!("{} files in {} ms", files.len(), started.elapsed().as_millis());
            return Ok(ExitCode::SUCCESS);
        }
        if self.check {
            check()?;
            return Ok(ExitCode::SUCCESS);
        }
        let root = workspace::root();
        let files = generate(&root.join("contracts"), &root.join("migrations"))?;
        write(&root, &files)?;
        eprintln!("{} files in {} ms", files.len(), started.elapsed().as_millis());
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes what was generated into a workspace, and lists what changed.
pub fn write(root: &Path, files: &[File]) -> Result<()> {
    list(&codegen::write::write(&root.join("gen"), files)?, "gen");
    Ok(())
}

/// Fails, with a list, when `gen/` is not what the contracts say.
pub fn check() -> Result<()> {
    let root = workspace::root();
    let files = generate(&root.join("contracts"), &root.join("migrations"))?;
    let changes = codegen::write::check(&root.join("gen"), &files)?;
    list(&changes, "gen");
    if !changes.is_empty() {
        bail!("gen/ is not what the contracts say: run `cargo xtask codegen` and commit");
    }
    Ok(())
}

/// Everything that belongs under `gen/`. Nothing is written before all of it is there.
pub fn generate(contracts: &Path, migrations: &Path) -> Result<Vec<File>> {
    let contracts = codegen::load::load(contracts, &workspace::includes()?)?;
    let model = codegen::lower::lower(&contracts)?;
    let mut files = codegen::emit::emit(&model, &contracts);
    files.extend(codegen::schema::emit(&codegen::schema::load(migrations)?));
    Ok(files)
}

fn list(changes: &Changes, directory: &str) {
    let kinds =
        [("added", &changes.added), ("changed", &changes.changed), ("stale", &changes.stale)];
    for (kind, paths) in kinds {
        for path in paths {
            eprintln!("{kind:>8}  {directory}/{path}");
        }
    }
}
