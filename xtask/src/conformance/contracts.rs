//! `cargo xtask conformance contracts`: contracts that others wrote, generated and
//! compiled.

mod crates;
mod known;
mod sets;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use codegen::Diagnostics;
use testbed::Tools;

use crate::workspace;
use known::{Known, Verdict};
use sets::Set;
use tally::Tally;

/// Where crates are written and built.
const DIRECTORY: &str = "target/conformance/contracts";

/// Generates crates from contracts that others wrote and compiles them: clippy and
/// rustdoc must find nothing to say.
///
/// Without --path or --all these are chosen sets of the packages that tools/ pins: the
/// messages of protobuf's conformance suite, grpc-gateway's examples, APIs of Google.
///
/// What is refused with a reason in e2e/conformance/contracts/known_refusals.txt counts as
/// failed, but only other refusals make the command fail. So does one of them that is
/// refused no more, which must be taken off the list.
#[derive(Debug, Default, clap::Args)]
#[group(id = "conformance_contracts")]
#[command(after_help = "Examples:
  cargo xtask conformance contracts
  cargo xtask conformance contracts --path ~/protos/acme --include ~/protos --compile")]
pub struct Arguments {
    /// Every directory of google-proto-files and of grpc-gateway's examples; generated,
    /// and compiled only with --compile.
    #[arg(long, conflicts_with = "path")]
    all: bool,
    /// A directory of yours instead: each directory below it that holds .proto files is a
    /// set of its own.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Where the imports of --path are looked up; may be repeated. PATH itself when absent.
    #[arg(long, value_name = "DIR", requires = "path")]
    include: Vec<PathBuf>,
    /// Compile what comes of --all and --path too, which takes long.
    #[arg(long)]
    compile: bool,
    /// Only sets whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let chosen = !self.all && self.path.is_none();
        let mut sets = match &self.path {
            Some(path) if self.include.is_empty() => sets::below(path, std::slice::from_ref(path))?,
            Some(path) => sets::below(path, &self.include)?,
            None if self.all => sets::all(&Tools::new()?)?,
            None => sets::chosen(&Tools::new()?)?,
        };
        if let Some(only) = &self.only {
            sets.retain(|set| set.name.contains(only.as_str()));
        }
        if sets.is_empty() {
            bail!("there are no such contracts");
        }
        let known = if self.path.is_some() { Known::default() } else { Known::load()? };
        let mut tally = Tally::default();
        for set in &sets {
            count(&set.name, measure(set, chosen || self.compile, &known), &mut tally);
        }
        if self.all && self.only.is_none() {
            let is_there = |name: &str| sets.iter().any(|set| set.name == name);
            for name in known.sets().filter(|name| !is_there(name)) {
                let gone = anyhow::anyhow!("there is no such set: take it off {}", known::LIST);
                count(name, Verdict::Failed(gone), &mut tally);
            }
        }
        print!("{tally}");
        Ok(if tally.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Generates and perhaps compiles a set, and judges what came of it.
fn measure(set: &Set, compile: bool, known: &Known) -> Verdict {
    let root = workspace::root().join(DIRECTORY);
    let outcome = crates::generate(set, &root).and_then(|counts| {
        if compile {
            crates::compile(set, &root)?;
        }
        Ok(counts)
    });
    known.judge(&set.name, outcome)
}

/// Tells what came of a set, and counts it.
fn count(name: &str, verdict: Verdict, tally: &mut Tally) {
    match verdict {
        Verdict::Passed(counts) => {
            println!("passed: {name}: {counts}");
            tally.passed(counts);
        }
        Verdict::Known(refused) => {
            for one in &refused.0 {
                println!(
                    "known: {name}: {}:{}:{}: {}",
                    one.file, one.line, one.column, one.message
                );
            }
            tally.refused(&refused);
            tally.known();
        }
        Verdict::Failed(reason) => {
            match reason.downcast_ref() {
                Some(refused) => {
                    tell("failed", name, refused);
                    tally.refused(refused);
                }
                None => println!("failed: {name}: {}", beginning(&reason)),
            }
            tally.failed();
        }
    }
}

/// Tells each place that was refused.
fn tell(what: &str, name: &str, refused: &Diagnostics) {
    for codegen::Diagnostic { file, line, column, message, .. } in &refused.0 {
        println!("{what}: {name}: {file}:{line}:{column}: {message}");
    }
}

/// The beginning of what was said, with its place and reason.
fn beginning(reason: &anyhow::Error) -> String {
    format!("{reason:#}").lines().take(6).collect::<Vec<_>>().join("\n    ")
}

/// Fails, with the reason, when a chosen set is not generated or refused as it should be,
/// or a crate of a guarded one has faults.
pub fn check(tools: &Tools) -> Result<()> {
    let known = Known::load()?;
    for set in sets::chosen(tools)? {
        if let Verdict::Failed(reason) = measure(&set, set.guards, &known) {
            return Err(reason.context(format!("contracts of {}", set.name)));
        }
    }
    Ok(())
}
