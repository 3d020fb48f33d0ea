//! buf's rules: what protobuf's wire format and JSON mapping make of a change.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use codegen::load::Contracts;
use codegen::lower::Places;
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use super::against::FOREIGN;
use super::finding::Finding;

/// Rules of ours say the same and more: what HTTP makes of it, and that a stronger level is fine.
const COVERED: [&str; 3] =
    ["RPC_SAME_CLIENT_STREAMING", "RPC_SAME_SERVER_STREAMING", "RPC_SAME_IDEMPOTENCY_LEVEL"];

/// Exit status of buf for findings.
const FOUND: i32 = 100;

/// A rule of buf's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct BufRule {
    /// Its name.
    #[serde(rename = "id")]
    pub(super) name: String,
    /// What it checks.
    pub(super) purpose: String,
}

/// A finding as buf prints it, one a line.
#[derive(Debug, Deserialize)]
struct Annotation {
    #[serde(default)]
    path: String,
    #[serde(default)]
    start_line: usize,
    #[serde(default)]
    start_column: usize,
    #[serde(rename = "type")]
    rule: String,
    message: String,
}

fn configuration() -> String {
    let ignore: Vec<_> = FOREIGN.iter().map(|prefix| prefix.trim_end_matches('/')).collect();
    let breaking = json!({"use": ["WIRE_JSON"], "except": COVERED, "ignore": ignore});
    json!({"version": "v2", "breaking": breaking}).to_string()
}

/// Compares two sets of contracts. Images are compared, since buf does not compare a workspace of
/// several modules with one image.
pub(super) fn compare(
    buf: &Path,
    then: &Contracts,
    now: &Contracts,
    places: &Places,
) -> Result<Vec<Finding>> {
    let directory = TempDir::new().context("cannot make a directory for buf")?;
    let (old, new) = (directory.path().join("then.binpb"), directory.path().join("now.binpb"));
    for (path, contracts) in [(&old, then), (&new, now)] {
        fs::write(path, &contracts.image)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let output = Command::new(buf)
        .arg("breaking")
        .arg(&new)
        .arg("--against")
        .arg(&old)
        .args(["--error-format", "json", "--config", &configuration()])
        .current_dir(directory.path())
        .output()
        .with_context(|| format!("cannot run {}", buf.display()))?;
    if !output.status.success() && output.status.code() != Some(FOUND) {
        bail!("buf breaking failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    lines
        .lines()
        .map(|line| {
            let annotation: Annotation = serde_json::from_str(line)
                .with_context(|| format!("buf printed something else than findings: {line}"))?;
            Ok(finding(annotation, places))
        })
        .collect()
}

fn finding(annotation: Annotation, places: &Places) -> Finding {
    let Annotation { path, start_line, start_column, rule, message } = annotation;
    let element = places.around(&path, start_line, start_column).unwrap_or(&path).to_owned();
    let (message, _) = message.split_once(" See https://").unwrap_or((&message, ""));
    let safely = if rule.contains("NO_DELETE") {
        "reserve the number and the name, so that nobody gives them another meaning"
    } else {
        "add another one beside it, mark the old one deprecated, and remove it when nobody uses it"
    };
    Finding {
        file: path,
        line: start_line,
        column: start_column,
        gone: false,
        rule,
        category: "WIRE_JSON".to_owned(),
        element,
        message: message.trim_end_matches('.').to_owned(),
        breaks: "who reads or writes the earlier messages, on the wire or in JSON, misreads or \
                 refuses them; stored ones too"
            .to_owned(),
        safely: safely.to_owned(),
        because: None,
    }
}

/// The rules of buf's that count here.
pub(super) fn rules(buf: &Path) -> Result<Vec<BufRule>> {
    let output = Command::new(buf)
        .args(["config", "ls-breaking-rules", "--configured-only", "--format", "json"])
        .args(["--config", &configuration()])
        .output()
        .with_context(|| format!("cannot run {}", buf.display()))?;
    if !output.status.success() {
        bail!("buf does not list its rules:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let parsed = text.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().context("buf lists its rules in another form than expected")
}
