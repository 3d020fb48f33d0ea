//! Judging generated documents, and answers against them, with validators of others.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{Tool, Tools};

/// What is run: it stands beside the pins, and is compiled in like them.
const SCRIPT: &str = include_str!("../../../tools/document-validators/check.mjs");

/// Judges OpenAPI and AsyncAPI documents: by the schemas of both initiatives and by
/// Redocly's rules; examples by the documents' own schemas.
///
/// # Errors
/// Every problem, by document and place; also when a validator cannot be had or run.
pub fn judge_documents(tools: &Tools, documents: &[PathBuf]) -> Result<()> {
    let paths = documents.iter().map(PathBuf::as_path).collect::<Vec<_>>();
    run(tools, "documents", &paths)
}

/// Judges recorded answers by an OpenAPI document: whether their path, status and media
/// type are documented, and their body is what its schema says, with no field besides.
///
/// `recorded` is the path of a JSON file: `{"openapi": PATH, "answers": [{"method", "path",
/// "status", "contentType", "body"}]}`.
///
/// # Errors
/// Every problem, by answer and place; also when a validator cannot be had or run.
pub fn judge_answers(tools: &Tools, recorded: &Path) -> Result<()> {
    run(tools, "answers", &[recorded])
}

fn run(tools: &Tools, what: &str, files: &[&Path]) -> Result<()> {
    let validator = tools.ensure(Tool::DocumentValidators)?;
    let validator = validator.canonicalize().context("finding the validators")?;
    // Theirs is `node_modules/<scope>/<package>/bin/<file>`.
    let modules = validator.ancestors().nth(5).context("the validators have no node_modules")?;
    let mut child = Command::new("node")
        .args(["--input-type=module", "-"])
        .arg(modules)
        .arg(what)
        .args(files)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run node")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(SCRIPT.as_bytes()).context("handing the script to node")?;
    }
    let output = child.wait_with_output().context("waiting for node")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
