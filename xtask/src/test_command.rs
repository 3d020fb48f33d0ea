//! `cargo xtask test`: everything that guards a commit.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser};
use testbed::{Tool, Tools};

use crate::{
    breaking, clients, codegen_command, conformance, deploy, documents, lint, rules, soak, sql,
    workspace,
};

/// Runs every check and every test, from the cheapest to the dearest.
///
/// Format, freshness of gen/, dependency rules, buf lint, breaking changes, the deployment, clippy,
/// the conformance suites of protobuf and protovalidate, queries against the schema, then all tests: unit and snapshot tests,
/// integration tests on real servers, and the whole system. Installs what is missing into the
/// user's cache.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  cargo xtask test                        # everything, as CI runs it
  cargo xtask test format codegen rules   # some steps, while working
  cargo xtask test soak                   # the fault tests in their long form"
)]
pub struct Arguments {
    #[command(subcommand)]
    long: Option<Long>,
    /// Run only these steps, by name.
    #[arg(value_name = "STEP", value_parser = steps())]
    only: Vec<String>,
}

/// What is too long for each commit.
#[derive(Debug, clap::Subcommand)]
enum Long {
    Soak(soak::Arguments),
}

/// A named step.
type Step = (&'static str, &'static str, fn(&Tools) -> Result<()>);

const STEPS: [Step; 17] = [
    ("format", "all code is formatted", |_| cargo(&["fmt", "--all", "--check"])),
    ("codegen", "gen/ is what contracts/ and migrations/ say", |_| codegen_command::check()),
    ("rules", "crates depend only on what the design allows", |_| rules::check()),
    ("deny", "crates come from where and under what deny.toml allows", lint::deny),
    ("buf", "buf lint passes on the contracts", |tools| lint::buf_lint(&tools.ensure(Tool::Buf)?)),
    ("breaking", "the contracts keep what the last tag promised", |tools| {
        breaking::check(&tools.ensure(Tool::Buf)?)
    }),
    ("clients", "gen/clients/ is what contracts/ say", |tools| clients::check(tools)),
    ("documents", "OpenAPI and AsyncAPI pass others' validators", |tools| {
        documents::check(tools).map(|_| ())
    }),
    ("deploy", "charts, image and pipeline are in order", deploy::check),
    ("clippy", "no warning is left", |_| {
        cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"])
    }),
    ("json", "protobuf's conformance suite passes", |tools| conformance::json::check(tools)),
    ("validate", "protovalidate's conformance suite passes", |tools| {
        conformance::validate::check(tools)
    }),
    ("contracts", "crates of contracts that others wrote pass clippy and rustdoc", |tools| {
        conformance::contracts::check(tools)
    }),
    ("sql", "every query agrees with the schema", |tools| sql::check(tools)),
    ("tools", "the servers for the tests are there", |tools| {
        for tool in [Tool::Postgres, Tool::NatsServer, Tool::Temporal, Tool::Bao] {
            tools.ensure(tool)?;
        }
        Ok(())
    }),
    ("tests", "all tests pass", |_| cargo(&["test", "--workspace", "--no-fail-fast"])),
    ("configuration", "services accept what the charts give them", deploy::check_configuration),
];

/// The steps that may be named, each with what it sees to.
fn steps() -> PossibleValuesParser {
    let steps = STEPS.iter().map(|(name, what, _)| PossibleValue::new(*name).help(*what));
    PossibleValuesParser::new(steps)
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        if let Some(Long::Soak(soak)) = &self.long {
            return soak.run();
        }
        let tools = Tools::new()?;
        let mut outcomes = Vec::new();
        for (name, what, step) in STEPS {
            if !self.only.is_empty() && !self.only.iter().any(|only| only == name) {
                continue;
            }
            eprintln!("==> {name}: {what}");
            let started = Instant::now();
            let outcome = step(&tools);
            if let Err(error) = &outcome {
                eprintln!("{error:#}");
            }
            outcomes.push((name, outcome.is_ok(), started.elapsed()));
        }
        Ok(summarise(&outcomes))
    }
}

fn summarise(outcomes: &[(&str, bool, Duration)]) -> ExitCode {
    println!();
    for (name, passed, elapsed) in outcomes {
        let word = if *passed { "ok" } else { "FAILED" };
        println!("  {name:<14}{word:<8}{:>7.1} s", elapsed.as_secs_f64());
    }
    let failed = outcomes.iter().filter(|(_, passed, _)| !passed).count();
    println!("\nsteps: {} passed, {failed} failed", outcomes.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let status = stack::cargo()
        .args(arguments)
        .current_dir(workspace::root())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("cargo {} failed", arguments[0]);
    }
    Ok(())
}
