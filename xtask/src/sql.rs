//! `cargo xtask sql`: queries against the schema.
//!
//! The api's queries are checked when they are compiled, from descriptions that
//! are kept under `services/api/.sqlx`. These commands let sqlx describe every
//! query anew on a Postgres with the migrations, as its own CLI would.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use testbed::{Postgres, RunDirectory, Tools};

use crate::workspace;

/// Keeps or checks the descriptions of the api's queries.
#[derive(Debug, clap::Subcommand)]
pub enum Sql {
    /// Describes every query on a Postgres with the migrations, and keeps that.
    #[command(after_help = "Examples:
  cargo xtask sql prepare   # after a change of a query or a migration")]
    Prepare,
    /// Fails when a description is missing, outdated or no longer used.
    #[command(after_help = "Examples:
  cargo xtask sql check   # as in CI")]
    Check,
}

impl Sql {
    pub fn run(&self) -> Result<ExitCode> {
        let tools = Tools::new()?;
        match self {
            Self::Prepare => prepare(&tools)?,
            Self::Check => check(&tools)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn kept() -> PathBuf {
    workspace::root().join("services/api/.sqlx")
}

fn prepare(tools: &Tools) -> Result<()> {
    let fresh = describe(tools)?;
    let kept = kept();
    if kept.exists() {
        std::fs::remove_dir_all(&kept)?;
    }
    std::fs::create_dir_all(&kept)?;
    for (name, text) in &fresh {
        std::fs::write(kept.join(name), text)?;
    }
    eprintln!("{} queries described", fresh.len());
    Ok(())
}

/// Compares the kept descriptions with fresh ones.
pub fn check(tools: &Tools) -> Result<()> {
    let (fresh, kept) = (describe(tools)?, read(&kept())?);
    if fresh != kept {
        let differing = fresh.iter().filter(|(name, text)| kept.get(*name) != Some(text)).count();
        let unused = kept.keys().filter(|name| !fresh.contains_key(*name)).count();
        bail!(
            "{differing} queries have no up-to-date description and {unused} descriptions have no \
             query: run `cargo xtask sql prepare` and commit"
        );
    }
    Ok(())
}

/// Compiles the api against a Postgres with the migrations; sqlx writes down what
/// Postgres says of each query.
fn describe(tools: &Tools) -> Result<BTreeMap<String, String>> {
    const DATABASE: &str = "describe";
    let run = RunDirectory::create("treaty-sql")?;
    let postgres = Postgres::start(tools, run.path().join("postgres"))?;
    postgres.create_database(DATABASE)?;
    for migration in migrations()? {
        let text = std::fs::read_to_string(&migration)?;
        postgres
            .psql(DATABASE, &text)
            .with_context(|| format!("{} cannot be applied", migration.display()))?;
    }
    // A new directory makes the api's build script run the macros again.
    let output = run.path().join("queries");
    std::fs::create_dir_all(&output)?;
    let status = stack::cargo()
        // With the whole workspace, since its dependencies are checked by then.
        .args(["check", "--quiet", "--workspace", "--lib"])
        .current_dir(workspace::root())
        .env("DATABASE_URL", postgres.url(DATABASE))
        .env("SQLX_OFFLINE_DIR", &output)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("a query disagrees with the schema: see the compiler's message above");
    }
    let described = read(&output)?;
    postgres.stop();
    run.succeeded()?;
    Ok(described)
}

fn migrations() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(workspace::root().join("migrations"))?;
    let mut files: Vec<_> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

fn read(directory: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if directory.is_dir() {
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            let text = std::fs::read_to_string(entry.path())?;
            files.insert(entry.file_name().to_string_lossy().into_owned(), text);
        }
    }
    Ok(files)
}
