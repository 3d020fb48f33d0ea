//! `cargo xtask bench codegen`: time, memory and growth of the generator.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::{codegen_command, workspace};

/// Messages of the corpus; RPCs are a fifth of them.
const MESSAGES: u64 = 1000;

/// Each measurement is the best of so many: what disturbs only ever adds.
const RUNS: usize = 3;

/// Measures the generator: a corpus of 1,000 messages and 200 RPCs, and twice that,
/// debug and release; and the check of this workspace when nothing has changed.
#[derive(Debug, clap::Args)]
#[group(id = "bench_codegen")]
#[command(after_help = "Examples:
  cargo xtask bench codegen
  cargo xtask bench codegen --debug-only   # within seconds")]
pub struct Arguments {
    /// Leave out the release build, which takes minutes.
    #[arg(long)]
    debug_only: bool,
}

/// One run: milliseconds of processor time by stage, and megabytes.
#[derive(Clone, Copy, Debug)]
struct Measurement {
    load: u64,
    lower: u64,
    emit: u64,
    peak: u64,
}

impl Measurement {
    fn total(self) -> u64 {
        self.load + self.lower + self.emit
    }
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        println!("profile  messages  load ms  lower ms  emit ms  total ms  peak MB");
        let profiles: &[&str] = if self.debug_only { &["dev"] } else { &["dev", "release"] };
        let mut slow = false;
        for profile in profiles {
            build(profile)?;
            let one = best(profile, MESSAGES)?;
            let two = best(profile, 2 * MESSAGES)?;
            for (messages, found) in [(MESSAGES, one), (2 * MESSAGES, two)] {
                let Measurement { load, lower, emit, peak } = found;
                let total = found.total();
                println!(
                    "{profile:<8} {messages:>8} {load:>8} {lower:>9} {emit:>8} {total:>9} {peak:>8}"
                );
            }
            let growth = two.total() as f64 / one.total().max(1) as f64;
            println!("{profile:<8} twice the contracts take {growth:.2} times as long");
            let limit = if *profile == "release" { 1000 } else { 3000 };
            slow |= one.total() >= limit || one.peak >= 200 || growth >= 3.0;
        }
        let elapsed = (0..RUNS).map(|_| check()).collect::<Result<Vec<_>>>()?;
        let fastest = elapsed.into_iter().min().unwrap_or_default();
        println!("check of this workspace, unchanged: {} ms", fastest.as_millis());
        slow |= fastest >= Duration::from_millis(300);
        println!("{}", if slow { "a limit is exceeded" } else { "within all limits" });
        Ok(if slow { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn check() -> Result<Duration> {
    let started = Instant::now();
    codegen_command::check()?;
    Ok(started.elapsed())
}

fn build(profile: &str) -> Result<()> {
    let status = stack::cargo()
        .args(["build", "--quiet", "--package", "codegen", "--example", "measure"])
        .args(["--profile", profile])
        .current_dir(workspace::root())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("the generator does not build");
    }
    Ok(())
}

fn best(profile: &str, messages: u64) -> Result<Measurement> {
    let runs = (0..RUNS).map(|_| measure(profile, messages)).collect::<Result<Vec<_>>>()?;
    runs.into_iter().min_by_key(|run| run.total()).context("there was no run")
}

/// One run in a process of its own, so that the memory is its alone.
fn measure(profile: &str, messages: u64) -> Result<Measurement> {
    let root = workspace::root();
    let directory = if profile == "release" { "release" } else { "debug" };
    let output = Command::new(root.join("target").join(directory).join("examples/measure"))
        .args([messages.to_string(), (messages / 5).to_string()])
        .arg(root.join("contracts"))
        .args(workspace::includes()?)
        .output()
        .context("cannot run the measurement")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        [load, lower, emit, peak, ..] => {
            Ok(Measurement { load: *load, lower: *lower, emit: *emit, peak: *peak })
        }
        _ => bail!("the measurement printed `{text}`"),
    }
}
