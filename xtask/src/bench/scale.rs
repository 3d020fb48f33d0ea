//! `cargo xtask bench scale`: more processes, more work done.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use stack::Options;

use super::road::{Drive, build, drive};
use crate::system::{Narrator, interruptible};

/// What each process must do at least, of what one does alone.
const LINEAR: f64 = 0.85;

/// Activities of each athlete: short jobs, so that the last ones do not decide.
const ACTIVITIES: u32 = 400;

/// Measures the road with one, two and three consumers and apis.
///
/// Strava answers late, so that a consumer's slots are what limits it and not the
/// processor; then twice the processes must do nearly twice the work, until the cores are
/// full. Fails when they do not.
#[derive(Debug, clap::Args)]
#[group(id = "bench_scale")]
#[command(after_help = "Examples:
  cargo xtask bench scale
  cargo xtask bench scale --latency-ms 50   # until the cores are full")]
pub struct Arguments {
    /// How late Strava answers, in milliseconds.
    #[arg(long, default_value_t = 300)]
    latency_ms: u64,
    /// Athletes for each process, each of whom is one job.
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u32).range(1..))]
    athletes: u32,
    /// Largest number of processes of each kind.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=8))]
    processes: u32,
    /// Take the debug build, which is there within seconds; nothing is judged then.
    #[arg(long)]
    debug: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let latency = Duration::from_millis(self.latency_ms);
        let (athletes, most) = (self.athletes, self.processes);
        let debug = self.debug;
        interruptible("treaty-scale", async move |directory: &Path, narrator: Narrator| {
            let binaries = build(debug, narrator).await?;
            let mut drives = Vec::new();
            for processes in 1..=most {
                let options = Options {
                    athletes: athletes * processes,
                    activities_per_athlete: ACTIVITIES,
                    consumers: processes,
                    apis: processes,
                    ..Options::default()
                };
                let directory = directory.join(processes.to_string());
                std::fs::create_dir(&directory)?;
                drives.push(drive(&binaries, &options, latency, &directory, narrator).await?);
            }
            println!("\nStrava answers after {} ms.\n", latency.as_millis());
            let kept = print(&drives) || debug;
            if !kept {
                println!("\nA limit is not kept: {LINEAR} of what one does, for each process");
            }
            Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        })
    }
}

/// Prints the table, and says whether the growth is as it must be.
fn print(drives: &[Drive]) -> bool {
    println!(
        "| consumers and apis | activities a second | for each, of one | cores used | shares of consumers | shares of apis |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    let one = drives.first().map_or(f64::NAN, Drive::rate);
    let mut kept = true;
    for (number, drive) in (1_u32..).zip(drives) {
        let linear = drive.rate() / one / f64::from(number);
        kept &= linear >= LINEAR;
        println!(
            "| {number} | {:.0} | {linear:.2} | {:.2} | {} | {} |",
            drive.rate(),
            drive.usages.iter().map(|usage| usage.cpu).sum::<f64>() / drive.elapsed.as_secs_f64(),
            shares(drive, "consumer-"),
            shares(drive, "api-"),
        );
    }
    kept
}

/// How the work was shared, by processor time.
fn shares(drive: &Drive, prefix: &str) -> String {
    let cpu = drive.usages.iter().filter(|usage| usage.name.starts_with(prefix));
    let cpu: Vec<f64> = cpu.map(|usage| usage.cpu).collect();
    let all: f64 = cpu.iter().sum();
    let share = |cpu: &f64| format!("{:.0} %", 100.0 * cpu / all);
    cpu.iter().map(share).collect::<Vec<_>>().join(", ")
}
