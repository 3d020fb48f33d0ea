//! `cargo xtask breaking`: what a change of the contracts breaks for others.

mod against;
mod buf;
mod exceptions;
mod finding;
mod list;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use codegen::breaking;
use codegen::lower::Places;
use testbed::{Tool, Tools};

use crate::workspace;
use against::{Earlier, Revision};
use exceptions::Exceptions;
use finding::Finding;
use report::{Format, Report};

/// Exit status when nothing could be compared: 1 says that something breaks.
const NOT_COMPARED: u8 = 2;

/// Says what a change of the contracts breaks for those who do not change with it.
///
/// Compares with earlier contracts: buf's rules for the wire and for JSON, and ours for HTTP routes,
/// access, deadlines, events, streams, durables, workflows and messages. Each finding names its
/// rule, its place, who breaks and how the same is done safely. `--list` shows all rules.
///
/// A break that was decided on stands in breaking.toml beside the contracts, with its reason.
///
/// Exit status: 0 when nothing breaks, 1 when something does, 2 when nothing could be compared.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask breaking                            # against the last tag v* below HEAD
  cargo xtask breaking --against main             # any git ref
  cargo xtask breaking --against ../release/contracts
  cargo xtask breaking --against release.binpb    # buf build -o release.binpb
  cargo xtask breaking --format github            # annotations, in a workflow
  cargo xtask breaking --list                     # every rule, and what it finds")]
pub struct Arguments {
    /// Earlier contracts: `last-tag` (the last tag v* below HEAD), a git ref, a directory with
    /// contracts, or an image (a serialised FileDescriptorSet, as `buf build -o` writes it).
    #[arg(long, value_name = "EARLIER", default_value = against::LAST_TAG)]
    against: String,
    /// The contracts; the workspace's own when absent.
    #[arg(long, value_name = "DIR")]
    contracts: Option<PathBuf>,
    /// How to say it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// List all rules and compare nothing.
    #[arg(long)]
    list: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let outcome = if self.list { self.list() } else { self.compare() };
        Ok(outcome.unwrap_or_else(|error| {
            eprintln!("\nerror: {error:#}");
            ExitCode::from(NOT_COMPARED)
        }))
    }

    fn list(&self) -> Result<ExitCode> {
        let buf = Tools::new()?.ensure(Tool::Buf)?;
        print!("{}", list::list(&buf, self.format)?);
        Ok(ExitCode::SUCCESS)
    }

    fn compare(&self) -> Result<ExitCode> {
        let contracts = self.contracts.clone().unwrap_or_else(own_contracts);
        let buf = Tools::new()?.ensure(Tool::Buf)?;
        match compare(&buf, &contracts, &self.against)? {
            Outcome::Nothing(why) => {
                self.format.say_nothing(&why);
                Ok(ExitCode::SUCCESS)
            }
            Outcome::Compared(report) => {
                print!("{}", report.show(self.format));
                Ok(if report.breaks() > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
            }
        }
    }
}

/// Fails when the contracts break something since the last tag, for `cargo xtask test`.
pub fn check(buf: &Path) -> Result<()> {
    match compare(buf, &own_contracts(), against::LAST_TAG)? {
        Outcome::Nothing(why) => eprintln!("{why}: nothing to compare with"),
        Outcome::Compared(report) => {
            eprint!("{}", report.show(Format::Text));
            if report.breaks() > 0 {
                anyhow::bail!("the contracts break promises: see docs/breaking.md");
            }
        }
    }
    Ok(())
}

fn own_contracts() -> PathBuf {
    workspace::root().join("contracts")
}

enum Outcome {
    /// There are no earlier contracts.
    Nothing(String),
    Compared(Report),
}

fn compare(buf: &Path, contracts: &Path, against: &str) -> Result<Outcome> {
    let includes = workspace::includes()?;
    let earlier = match against::find(against, contracts)? {
        Revision::None(why) => return Ok(Outcome::Nothing(why)),
        Revision::Some(source) => Earlier::load(&source, &includes)?,
    };
    let now = codegen::load::load(contracts, &includes)
        .with_context(|| format!("the contracts in {} cannot be read", contracts.display()))?;
    let model = codegen::lower::lower(&now)
        .with_context(|| format!("the contracts in {} are not valid", contracts.display()))?;
    let (then_places, now_places) = (Places::of(&earlier.contracts), Places::of(&now));

    let mut findings: Vec<Finding> = breaking::compare(&earlier.model, &model)
        .into_iter()
        .map(|found| Finding::ours(found, &then_places, &now_places))
        .collect();
    findings.extend(buf::compare(buf, &earlier.contracts, &now, &now_places)?);
    findings.sort();
    let exceptions = Exceptions::load(&contracts.join(exceptions::FILE), &|| buf::rules(buf))?;
    let unused = exceptions.apply(&mut findings);
    let folder = shown(contracts);
    let Earlier { name: against, refused, .. } = earlier;
    Ok(Outcome::Compared(Report { against, folder, refused, findings, unused }))
}

/// A path as a reader of the workspace writes it.
fn shown(path: &Path) -> String {
    path.strip_prefix(workspace::root()).unwrap_or(path).display().to_string()
}
