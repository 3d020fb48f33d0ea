//! `cargo xtask conformance validate`: protovalidate's own suite.
//!
//! The suite's contracts go through the generator as anybody's would. What it makes of
//! them, the messages and their validation, becomes a program that answers the suite's
//! runner: so it is the generated code that is measured, as services have it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use codegen::lower::{Settings, WrongRules};
use codegen::model::{Layout, Model, Package};
use testbed::{Tool, Tools};

use super::go_module;
use crate::workspace;

/// The module with the contracts of the cases, pinned by the go.mod that pins the runner.
const MODULE: &str = "tools/protovalidate-conformance";

/// The contracts of the cases, below the root of their imports.
const CASES: &str = "buf/validate/conformance/cases";

/// Where the program is built.
const DIRECTORY: &str = "target/conformance/validate";

/// Measures generated validation against protovalidate's conformance suite.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask conformance validate
  cargo xtask conformance validate --case 'string/.*'")]
pub struct Arguments {
    /// Compare the texts of violations too.
    #[arg(long)]
    strict_message: bool,
    /// Only cases whose name matches this regular expression.
    #[arg(long)]
    case: Option<String>,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let score = self.measure(&Tools::new()?)?;
        for name in &score.failed {
            println!("failed: {name}");
        }
        println!(
            "{} passed, {} failed, {} skipped",
            score.passed,
            score.failed.len(),
            score.skipped
        );
        Ok(if score.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn measure(&self, tools: &Tools) -> Result<Score> {
        let runner = tools.ensure(Tool::ProtovalidateConformance)?;
        let executor = executor()?;
        let mut command = Command::new(runner);
        // Errors of the generator are told apart from those of a running expression.
        command.args(["--strict_error", "--timeout", "60s"]);
        if self.strict_message {
            command.arg("--strict_message");
        }
        if let Some(case) = &self.case {
            command.args(["--case", case]);
        }
        let output =
            command.arg(&executor).output().context("cannot run the conformance runner")?;
        Score::read(&String::from_utf8_lossy(&output.stdout))
            .or_else(|| Score::read(&String::from_utf8_lossy(&output.stderr)))
            .with_context(|| {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                format!("the conformance runner gave no score: {said}")
            })
    }
}

/// Fails unless every case passes, to the texts of violations.
pub fn check(tools: &Tools) -> Result<()> {
    let score = Arguments { strict_message: true, case: None }.measure(tools)?;
    if !score.failed.is_empty() || score.passed == 0 {
        bail!("of protovalidate's conformance suite: {}", score.failed.join(", "));
    }
    eprintln!("{} passed", score.passed);
    Ok(())
}

/// What the runner found.
#[derive(Debug, PartialEq, Eq)]
struct Score {
    passed: u64,
    skipped: u64,
    failed: Vec<String>,
}

impl Score {
    /// Reads the runner's report: lines about cases, and a last line with the sums.
    fn read(report: &str) -> Option<Self> {
        let mut suite = "";
        let mut failed = Vec::new();
        let mut sums = None;
        for line in report.lines() {
            let trimmed = line.trim_start();
            if let Some(name) = trimmed.strip_prefix("--- FAIL: ") {
                let name = name.split(" (").next().unwrap_or(name);
                if line.starts_with(' ') {
                    failed.push(format!("{suite}/{name}"));
                } else {
                    suite = name;
                }
            } else if trimmed.starts_with("FAIL (") || trimmed.starts_with("PASS (") {
                let number = |label: &str| {
                    let (_, rest) = trimmed.split_once(label)?;
                    rest.split([',', ')']).next()?.trim().parse::<u64>().ok()
                };
                sums = Some((number("passed:")?, number("skipped:")?));
            }
        }
        sums.map(|(passed, skipped)| Self { passed, skipped, failed })
    }
}

/// Generates and builds the program; gives its path.
fn executor() -> Result<PathBuf> {
    let module = cases()?.join("proto");
    let directory = workspace::root().join(DIRECTORY);
    // The suite's module holds contracts of other tests too.
    let contracts = directory.join("contracts");
    copy(&module.join("protovalidate-testing").join(CASES), &contracts.join(CASES))?;
    let contracts = codegen::load::load(&contracts, &[module.join("protovalidate")])?;
    let settings = Settings { layout: Layout::Modules, allow_undeclared_access: true };
    let (model, wrong) = codegen::lower::lower_without_wrong_rules(&contracts, settings)?;
    let mut files = vec![
        ("Cargo.toml".to_owned(), manifest().into_bytes()),
        ("src/main.rs".to_owned(), main(&model).into_bytes()),
        ("src/registry.rs".to_owned(), registry(&model, &wrong).into_bytes()),
    ];
    for file in codegen::emit::emit(&model, &contracts) {
        let wanted = ["/messages.rs", "/validate.rs"];
        if wanted.iter().any(|end| file.path.ends_with(end)) {
            files.push((file.path, file.contents));
        }
    }
    for package in &model.packages {
        let text = "mod messages;\nmod validate;\npub use messages::*;\n";
        files.push((format!("{}/mod.rs", package.directory()), text.as_bytes().to_vec()));
    }
    let lock = fs::read(workspace::root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    files.push(("Cargo.lock".to_owned(), lock));
    write(&directory, &files)?;
    build(&directory)
}

/// The directory of the suite's module.
fn cases() -> Result<PathBuf> {
    go_module(MODULE, "github.com/bufbuild/protovalidate")
}

/// Copies a directory with all that is below it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("cannot copy {} to {}", from.display(), to.display());
    fs::create_dir_all(to).with_context(failed)?;
    for entry in fs::read_dir(from).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            // Not `fs::copy`: what Go keeps is read-only, and so would be the copy.
            let text = fs::read(entry.path()).with_context(failed)?;
            fs::write(&target, text).with_context(failed)?;
        }
    }
    Ok(())
}

fn manifest() -> String {
    let runtime = workspace::root().join("platform/treaty-validate");
    format!(
        "[package]\nname = \"validate-executor\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         publish = false\n\n[workspace]\n\n[profile.dev]\nopt-level = 0\ndebug = false\n\n\
         [dependencies]\nprost = {{ version = \"0.14\", default-features = false, features = \
         [\"derive\", \"std\"] }}\nprost-types = \"0.14\"\ntreaty-validate = {{ path = {runtime:?} }}\n"
    )
}

fn main(model: &Model) -> String {
    let mut text = include_str!("validate/executor.rs").to_owned();
    for package in &model.packages {
        let _ = write!(text, "\n#[allow(warnings, clippy::all)]\nmod {};", package.module);
    }
    text.push('\n');
    text
}

/// Each message by its name, or what is wrong with its rules.
fn registry(model: &Model, wrong: &WrongRules) -> String {
    let mut text = String::from(
        "use crate::{Outcome, check};\n\n\
         pub fn run(name: &str, bytes: &[u8]) -> Option<Outcome> {\n    Some(match name {\n",
    );
    for package in &model.packages {
        for message in &package.messages {
            let name = &message.full_name;
            let outcome = match wrong.get(name).and_then(|mistakes| mistakes.first()) {
                Some(mistake) => format!("Outcome::Compilation({:?}.to_owned())", mistake.message),
                None => format!("check::<{}>(bytes)", path(package, &message.rust.path)),
            };
            let _ = writeln!(text, "        {name:?} => {outcome},");
        }
    }
    // A well-known type has no rules of its own.
    text.push_str("        \"google.protobuf.Any\" => check::<prost_types::Any>(bytes),\n");
    text.push_str("        _ => return None,\n    })\n}\n");
    text
}

fn path(package: &Package, path: &str) -> String {
    format!("crate::{}::{path}", package.module)
}

/// Writes what has changed, so that Cargo does not build the rest again.
fn write(directory: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    for (name, contents) in files {
        let path = directory.join(name);
        if fs::read(&path).is_ok_and(|present| present == *contents) {
            continue;
        }
        // Cargo takes out of the lock file what the program does not need.
        if name == "Cargo.lock" && path.exists() {
            continue;
        }
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, contents))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn build(directory: &Path) -> Result<PathBuf> {
    let target = directory.join("target");
    let status = stack::cargo()
        .args(["build", "--quiet"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(directory)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("what was generated of the suite's contracts does not compile");
    }
    Ok(target.join("debug/validate-executor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_report_is_read() {
        let report = "--- FAIL: standard_rules/string (failed: 1, skipped: 0, passed: 2)\n    \
                      --- FAIL: len/invalid\n        want: valid\n\
                      FAIL (failed: 1, skipped: 3, passed: 20, total: 24)\n";
        let score = Score::read(report).unwrap();
        assert_eq!(score.failed, ["standard_rules/string/len/invalid"]);
        assert_eq!((score.passed, score.skipped), (20, 3));
        assert_eq!(Score::read("no report"), None);
    }
}
