//! `cargo xtask test soak`: the faults, for as long as one likes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::Value;
use testbed::{RunDirectory, Tool, Tools};

use crate::system::{INTERRUPTED, interrupted};
use crate::workspace;

/// Runs the fault tests in their long form: hours of kills, outages and stops.
///
/// Each test starts what it needs, injects its faults, prints progress and figures, and proves
/// that nothing was lost. The seed that is printed repeats the choices of a run. Ctrl-C ends it and
/// removes what was started; a test that fails keeps its data and logs.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask test soak                            # each fault test once, in its long form
  cargo xtask test soak --only kills --minutes 60  # an hour of killing services
  cargo xtask test soak --only kills --seed 42     # the choices of an earlier run again")]
pub struct Arguments {
    /// What the choices of the tests are derived from; another one each time unless given.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Run only these, by name; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = names())]
    only: Vec<String>,
    /// Let each test that can go on for at least so long.
    #[arg(long, value_name = "M", default_value_t = 0)]
    minutes: u64,
}

/// A test that has a long form.
struct Soak {
    name: &'static str,
    what: &'static str,
    package: &'static str,
    /// What the test's path begins with.
    test: &'static str,
}

const SOAKS: [Soak; 12] = [
    Soak {
        name: "kills",
        what: "services are killed in turn over 10,000 jobs",
        package: "e2e",
        test: "faults::kills::",
    },
    Soak {
        name: "stops",
        what: "services are asked to stop in turn, 250 times, under calls and jobs",
        package: "e2e",
        test: "faults::stops::",
    },
    Soak {
        name: "broker",
        what: "the broker is killed 20 times and frozen for a minute",
        package: "e2e",
        test: "faults::broker::",
    },
    Soak {
        name: "database",
        what: "the database is stopped at once and frozen for 30 s",
        package: "e2e",
        test: "faults::database::",
    },
    Soak {
        name: "full-disk",
        what: "the database's disk is full",
        package: "e2e",
        test: "faults::full_disk::",
    },
    Soak {
        name: "upstream",
        what: "Strava fails, lies and dawdles 2,000 times",
        package: "e2e",
        test: "faults::upstream::",
    },
    Soak {
        name: "zombie",
        what: "consumers are frozen past their ack wait, ten times",
        package: "e2e",
        test: "faults::zombie::",
    },
    Soak {
        name: "together",
        what: "a dozen jobs of one athlete at once, 50 times",
        package: "e2e",
        test: "faults::together::",
    },
    Soak {
        name: "handlers",
        what: "a handler's broker is killed, frozen, silent, full and poisoned",
        package: "treaty-nats",
        test: "handler::",
    },
    Soak {
        name: "redrives",
        what: "an operator's redrive of 5,000 dead letters is killed again and again",
        package: "treaty-jobs",
        test: "killed::",
    },
    Soak {
        name: "dispatch",
        what: "the worker and Temporal are killed in the midst of pages",
        package: "worker",
        test: "killed::",
    },
    Soak {
        name: "million",
        what: "a dispatch to a million athletes",
        package: "worker",
        test: "long_dispatch::",
    },
];

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(
        SOAKS.iter().map(|soak| PossibleValue::new(soak.name).help(soak.what)),
    )
}

/// How one went.
struct Outcome {
    name: &'static str,
    passed: bool,
    elapsed: Duration,
    /// The last thing that the test told, which is its figures.
    figures: String,
}

/// What is under way and what has ended, for whoever interrupts it.
#[derive(Default)]
struct Progress {
    test: Mutex<Option<Child>>,
    outcomes: Mutex<Vec<Outcome>>,
}

impl Progress {
    fn test(&self) -> MutexGuard<'_, Option<Child>> {
        self.test.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcomes(&self) -> MutexGuard<'_, Vec<Outcome>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the test that is under way, and with it what it has started.
    fn interrupt(&self) -> Result<()> {
        // Taken away, so that nobody takes its end for a failure whose logs are kept.
        if let Some(mut test) = self.test().take() {
            test.kill().and_then(|()| test.wait()).context("ending the test")?;
        }
        Ok(())
    }
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let seed = self.seed.unwrap_or_else(fresh_seed);
        println!(
            "seed {seed}: `cargo xtask test soak --seed {seed}` repeats the choices of this run"
        );
        let progress = Arc::<Progress>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let finished = runtime.block_on(async {
            let (arguments, progress) = (self.clone(), Arc::clone(&progress));
            let running = tokio::task::spawn_blocking(move || arguments.all(seed, &progress));
            tokio::select! {
                () = interrupted() => None,
                finished = running => Some(finished),
            }
        });
        let Some(finished) = finished else {
            progress.interrupt()?;
            eprintln!("interrupted: every process that was started ends with this one");
            summarise(&progress.outcomes(), seed);
            // Cargo, or the reader of what the test told, would be waited for.
            std::process::exit(i32::from(INTERRUPTED));
        };
        finished.context("the soak panicked")??;
        Ok(summarise(&progress.outcomes(), seed))
    }

    fn all(&self, seed: u64, progress: &Progress) -> Result<()> {
        let tools = Tools::new()?;
        for tool in [Tool::Postgres, Tool::NatsServer, Tool::Temporal] {
            tools.ensure(tool)?;
        }
        let programs = programs()?;
        for soak in &SOAKS {
            if self.only.is_empty() || self.only.iter().any(|only| only == soak.name) {
                let program = programs
                    .get(soak.package)
                    .with_context(|| format!("{} has no tests", soak.package))?;
                let outcome = self.soak(soak, program, seed, progress)?;
                progress.outcomes().push(outcome);
            }
        }
        Ok(())
    }

    fn soak(&self, soak: &Soak, program: &Path, seed: u64, progress: &Progress) -> Result<Outcome> {
        eprintln!("==> {}: {}", soak.name, soak.what);
        // Goes with this process, however it ends.
        let directory = RunDirectory::disposable("treaty-soak")?;
        let started = Instant::now();
        let mut test = Command::new(program)
            .args([soak.test, "--nocapture", "--test-threads", "1"])
            .env("TREATY_SOAK", "1")
            .env("TREATY_SEED", seed.to_string())
            .env("TREATY_MINUTES", self.minutes.to_string())
            .env("TMPDIR", directory.path())
            .current_dir(workspace::root())
            .stderr(Stdio::piped())
            // A terminal's Ctrl-C comes to this process alone, which then ends the test.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let told = test.stderr.take().context("the test has no standard error")?;
        progress.test().replace(test);
        let mut figures = String::new();
        for line in BufReader::new(told).lines() {
            let line = line.context("reading what the test tells")?;
            eprintln!("{line}");
            if let Some(told) = line.strip_prefix(&format!("{} [", soak.name)) {
                figures = told.split_once("] ").map_or(told, |(_, told)| told).to_owned();
            }
        }
        let mut test = progress.test().take().context("the test has no process")?;
        let passed = test.wait().context("waiting for the test")?.success();
        if !passed {
            keep(directory.path(), soak.name, seed)?;
        }
        Ok(Outcome { name: soak.name, passed, elapsed: started.elapsed(), figures })
    }
}

/// Moves what a failed test left to where it stays.
fn keep(directory: &Path, name: &str, seed: u64) -> Result<()> {
    let kept = std::env::temp_dir().join(format!("treaty-soak-{name}-{seed}"));
    std::fs::rename(directory, &kept)
        .with_context(|| format!("keeping the logs of {name} in {}", kept.display()))?;
    eprintln!("The data and logs of {name} are kept in {}.", kept.display());
    Ok(())
}

/// The test programs, one for each package, built with the whole workspace as the test command
/// does, so that no dependency is compiled twice.
fn programs() -> Result<BTreeMap<String, PathBuf>> {
    eprintln!("==> building the tests");
    let output = stack::cargo()
        .args(["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"])
        .current_dir(workspace::root())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "the tests do not build: see Cargo's message above");
    let found: BTreeMap<_, _> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| program(&serde_json::from_str(line).ok()?))
        .collect();
    if found.is_empty() {
        bail!("Cargo built no tests");
    }
    Ok(found)
}

/// Package and path of an integration test, from one of Cargo's messages.
fn program(message: &Value) -> Option<(String, PathBuf)> {
    if message["target"]["name"] != "it" || message["profile"]["test"] != true {
        return None;
    }
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let package = manifest.parent()?.file_name()?.to_str()?;
    Some((package.to_owned(), PathBuf::from(message["executable"].as_str()?)))
}

fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Short enough to be typed.
    u64::from(now.subsec_nanos()) % 1_000_000
}

fn summarise(outcomes: &[Outcome], seed: u64) -> ExitCode {
    println!();
    for Outcome { name, passed, elapsed, figures } in outcomes {
        let word = if *passed { "ok" } else { "FAILED" };
        println!("  {name:<12}{word:<8}{:>8.1} s  {figures}", elapsed.as_secs_f64());
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    println!("\nseed {seed}: {} passed, {failed} failed", outcomes.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_test_program_is_found_by_its_package() {
        let mut message = json!({
            "reason": "compiler-artifact",
            "manifest_path": "/treaty/e2e/Cargo.toml",
            "target": {"name": "it"},
            "profile": {"test": true},
            "executable": "/treaty/target/debug/deps/it-1",
        });
        let expected = ("e2e".to_owned(), PathBuf::from("/treaty/target/debug/deps/it-1"));
        assert_eq!(program(&message), Some(expected));
        message["profile"]["test"] = false.into();
        assert_eq!(program(&message), None);
    }
}
