//! `cargo xtask conformance contracts`: contracts that others wrote, generated and
//! compiled.

mod crates;
mod sets;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use codegen::Diagnostics;
use testbed::Tools;

use crate::workspace;
use sets::Set;
use tally::Tally;

/// Where crates are written and built.
const DIRECTORY: &str = "target/conformance/contracts";

/// Generates crates from contracts that others wrote and compiles them: clippy and
/// rustdoc must find nothing to say.
///
/// Without --path or --all these are chosen sets of the packages that tools/ pins: the
/// messages of protobuf's conformance suite, grpc-gateway's examples, APIs of Google.
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
        let mut tally = Tally::default();
        for set in &sets {
            measure(set, chosen || self.compile, &mut tally)?;
        }
        print!("{tally}");
        Ok(if tally.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Generates and perhaps compiles a set, tells what came of it, and counts it.
fn measure(set: &Set, compile: bool, tally: &mut Tally) -> Result<()> {
    let root = workspace::root().join(DIRECTORY);
    let outcome = crates::generate(set, &root).and_then(|counts| {
        if compile {
            crates::compile(set, &root)?;
        }
        Ok(counts)
    });
    match outcome {
        Ok(counts) => {
            println!("passed: {}: {counts}", set.name);
            tally.passed(counts);
        }
        Err(reason) => {
            println!("failed: {}: {}", set.name, beginning(&reason));
            tally.failed(reason.downcast_ref::<Diagnostics>());
        }
    }
    Ok(())
}

/// The beginning of what was said, with its place and reason.
fn beginning(reason: &anyhow::Error) -> String {
    format!("{reason:#}").lines().take(6).collect::<Vec<_>>().join("\n    ")
}

/// Fails, with the reason, when a crate of a guarded set is not as it should be.
pub fn check(tools: &Tools) -> Result<()> {
    let root = workspace::root().join(DIRECTORY);
    for set in sets::chosen(tools)?.iter().filter(|set| set.guards) {
        crates::generate(set, &root)
            .and_then(|_| crates::compile(set, &root))
            .with_context(|| format!("contracts of {}", set.name))?;
    }
    Ok(())
}
