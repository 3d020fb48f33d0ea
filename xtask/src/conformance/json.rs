//! `cargo xtask conformance json`: protobuf's own suite, of JSON and of the wire.
//!
//! The suite's contracts go through `cargo xtask codegen --contracts` as anybody's would.
//! e2e/conformance/json answers the runner with what comes of them, so it is the generated
//! code that is measured, as services have it.

mod score;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use score::Report;
use testbed::{Tool, Tools};

use crate::{codegen_command, workspace};

/// The program that answers the runner.
const PROGRAM: &str = "e2e/conformance/json";

/// Where its messages are generated and it is built.
const DIRECTORY: &str = "target/conformance/json";

/// The newest edition whose tests are run: what the generator understands.
const EDITION: &str = "2023";

/// Tests of the wire and of extensions that are known to fail, with the reasons.
const KNOWN: &str = "e2e/conformance/json/known_failures.txt";

/// Measures messages and their JSON against protobuf's conformance suite.
///
/// All tests count, the recommended ones too. Those in
/// e2e/conformance/json/known_failures.txt are about what prost leaves out; they are
/// counted as failed, but only others make the command fail. So does one of them that
/// passes, which must be taken off the list.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask conformance json
  cargo xtask conformance json Required.Proto3.JsonInput.AllFieldAcceptNull.ProtobufOutput")]
pub struct Arguments {
    /// Only the tests of these names, as the report has them.
    #[arg(value_name = "TEST")]
    only: Vec<String>,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let report = measure(&Tools::new()?, &self.only)?;
        for name in &report.failed {
            println!("failed: {name}");
        }
        for name in &report.known {
            println!("known: {name}");
        }
        println!(
            "\n| tests of | required | recommended | failed of these |\n| --- | --- | --- | --- |"
        );
        for (suite, tests) in &report.suites {
            println!("| {suite} | {} | {} | {} |", tests.required, tests.recommended, tests.failed);
        }
        println!(
            "\n{} passed, {} failed, {} skipped ({} of the failures known: {KNOWN})",
            report.passed,
            report.failed.len() + report.known.len(),
            report.skipped,
            report.known.len()
        );
        Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Fails unless everything passes that is not known to fail.
pub fn check(tools: &Tools) -> Result<()> {
    let report = measure(tools, &[])?;
    if !report.is_good() {
        let excused = "no test ran, or a failure of proto3's JSON is on the list".to_owned();
        let failed = if report.failed.is_empty() { excused } else { report.failed.join(", ") };
        bail!("of protobuf's conformance suite: {failed}");
    }
    eprintln!("{} passed, {} known failures", report.passed, report.known.len());
    Ok(())
}

fn measure(tools: &Tools, only: &[String]) -> Result<Report> {
    let runner = tools.ensure(Tool::ProtobufConformance)?;
    let program = program(&runner)?;
    let root = workspace::root();
    let results = root.join(DIRECTORY).join("results");
    if results.exists() {
        fs::remove_dir_all(&results).context("removing the last results")?;
    }
    fs::create_dir_all(&results).context("creating a directory for results")?;
    let mut command = Command::new(&runner);
    command.args(["--enforce_recommended", "--verbose", "--maximum_edition", EDITION]);
    command.arg("--output_dir").arg(&results);
    if only.is_empty() {
        command.arg("--failure_list").arg(root.join(KNOWN));
    }
    for name in only {
        command.args(["--test", name]);
    }
    let output = command.arg(program).output().context("cannot run the conformance runner")?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let (passed, skipped) = score::sums(&said).with_context(|| {
        let end: String = said.lines().rev().take(10).flat_map(|line| [line, "\n"]).collect();
        format!("the conformance runner gave no score; its last lines, the last first:\n{end}")
    })?;
    let mut failed = names(&results.join("failing_tests.txt"));
    failed.extend(names(&results.join("succeeding_tests.txt")).into_iter().map(passes));
    failed.extend(
        names(&results.join("nonexistent_tests.txt"))
            .into_iter()
            .map(|name| format!("{name} (there is no such test: take it off {KNOWN})")),
    );
    let known = if only.is_empty() { names(&root.join(KNOWN)) } else { Vec::new() };
    Ok(Report { suites: score::suites(&said, &failed, &known), passed, skipped, failed, known })
}

fn passes(name: String) -> String {
    format!("{name} (it passes: take it off {KNOWN})")
}

/// The names in a list of tests; none when there is no list.
fn names(list: &Path) -> Vec<String> {
    let text = fs::read_to_string(list).unwrap_or_default();
    let names = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Generates the messages and builds the program; gives its path.
fn program(runner: &Path) -> Result<PathBuf> {
    let include = runner.parent().and_then(Path::parent).map(|home| home.join("include"));
    let include = include.filter(|include| include.is_dir()).with_context(|| {
        format!("{} has no directory `include` of contracts beside its own", runner.display())
    })?;
    let root = workspace::root();
    let messages = root.join(DIRECTORY).join("messages");
    codegen_command::foreign::generate(include, messages, "conformance-messages")?;
    // The same versions as in the workspace.
    let lock = fs::read(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    fs::write(root.join(PROGRAM).join("Cargo.lock"), lock)
        .context("cannot write the program's Cargo.lock")?;
    let target = root.join(DIRECTORY).join("target");
    let status = stack::cargo()
        .args(["build", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(root.join(PROGRAM))
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("the program that answers the conformance suite does not build");
    }
    Ok(target.join("debug/conformance-json"))
}
