//! `cargo xtask bench road`: the whole road of a job, as it is released.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stack::road::{Road, Usage};
use stack::{Binaries, Options};
use testbed::Tools;
use tokio::task::spawn_blocking;

use crate::system::{Narrator, interruptible};
use crate::workspace;

/// What the road must carry on two cores, in activities a second.
const RATE: f64 = 20_000.0;

/// What each service may have resident while it does.
const MEMORY: u64 = 64 * 1024 * 1024;

/// Measures the whole road of a job: Strava's pages, the api's upsert, the acknowledgement.
///
/// Athletes register and consent while no consumer runs; then consumers start, and the
/// time is taken until the last job is acknowledged. Services and simulator are built for
/// release, Postgres has every commit on disk before it answers. Fails when fewer than
/// 20,000 activities a second pass, or when a service has more than 64 MB resident at any
/// time.
#[derive(Debug, clap::Args)]
#[group(id = "bench_road")]
#[command(after_help = "Examples:
  cargo xtask bench road
  cargo xtask bench road --athletes 1000 --consumers 2 --apis 2")]
pub struct Arguments {
    /// Athletes, each of whom is one job.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    athletes: u32,
    /// Activities of each.
    #[arg(long, default_value_t = 1_000)]
    activities_per_athlete: u32,
    /// Consumer processes.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    consumers: u32,
    /// Api processes.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    apis: u32,
    /// Take the debug build, which is there within seconds; nothing is judged then.
    #[arg(long)]
    debug: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let options = Options {
            athletes: self.athletes,
            activities_per_athlete: self.activities_per_athlete,
            consumers: self.consumers,
            apis: self.apis,
            ..Options::default()
        };
        let debug = self.debug;
        interruptible("treaty-road", async move |directory: &Path, narrator: Narrator| {
            let binaries = build(debug, narrator).await?;
            let drive = drive(&binaries, &options, Duration::ZERO, directory, narrator).await?;
            drive.print();
            let kept = debug || drive.rate() >= RATE && drive.largest_service() <= MEMORY;
            if !kept {
                println!("\nA limit is not kept: {RATE:.0} a second, {} MB", MEMORY >> 20);
            }
            Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        })
    }
}

/// What came of driving over the road once.
pub(super) struct Drive {
    pub(super) activities: u64,
    pub(super) elapsed: Duration,
    pub(super) usages: Vec<Usage>,
}

impl Drive {
    /// Activities a second.
    pub(super) fn rate(&self) -> f64 {
        self.activities as f64 / self.elapsed.as_secs_f64()
    }

    fn largest_service(&self) -> u64 {
        let services = self.usages.iter().filter(|usage| {
            ["api-", "consumer-"].iter().any(|prefix| usage.name.starts_with(prefix))
        });
        services.map(|usage| usage.peak).max().unwrap_or(0)
    }

    fn print(&self) {
        println!(
            "{} activities in {:.1} s: {:.0} a second\n",
            self.activities,
            self.elapsed.as_secs_f64(),
            self.rate()
        );
        let cpu: f64 = self.usages.iter().map(|usage| usage.cpu).sum();
        println!("cores used: {:.2}\n", cpu / self.elapsed.as_secs_f64());
        println!("| process | processor, µs an activity | most memory, MB |");
        println!("| --- | --- | --- |");
        for Usage { name, cpu, peak } in &self.usages {
            let micros = cpu * 1e6 / self.activities as f64;
            println!("| {name} | {micros:.1} | {:.1} |", *peak as f64 / f64::from(1 << 20));
        }
    }
}

pub(super) async fn build(debug: bool, narrator: Narrator) -> Result<Binaries> {
    narrator.say("building services and simulator");
    let build = if debug { Binaries::build } else { Binaries::build_release };
    spawn_blocking(move || build(&workspace::root())).await?
}

/// Starts the road, drives over it and stops it.
pub(super) async fn drive(
    binaries: &Binaries,
    options: &Options,
    latency: Duration,
    directory: &Path,
    narrator: Narrator,
) -> Result<Drive> {
    narrator.say("starting Postgres, nats-server, the simulator and the api");
    let starting = (binaries.clone(), options.clone(), directory.to_owned());
    let starting = spawn_blocking(move || {
        let (binaries, options, directory) = starting;
        let tools = Tools::with_progress(move |line| narrator.say(line))?;
        Road::start(&tools, &binaries, &options, &directory)
    });
    let mut road = starting.await??;
    narrator.say(&format!("{} athletes register and consent", options.athletes));
    road.fill().await?;
    road.slow_strava(latency).await?;
    let before = road.usage()?;
    narrator.say(&format!("starting consumers: {}", options.consumers));
    let started = Instant::now();
    for _ in 0..options.consumers {
        road.add_consumer()?;
    }
    road.drained().await?;
    let elapsed = started.elapsed();
    let mut usages = road.usage()?;
    for usage in &mut usages {
        if let Some(before) = before.iter().find(|before| before.name == usage.name) {
            usage.cpu -= before.cpu;
        }
    }
    let activities = road.rows()?;
    let wanted = options.activities();
    ensure!(activities == wanted, "{activities} activities are in Postgres instead of {wanted}");
    road.stop();
    Ok(Drive { activities, elapsed, usages })
}
