//! Messages a second through one server on this machine.
//!
//! Rounds go from one way to the next on the same server, so that a busy moment meets all;
//! what they are to each other is the median over rounds.

mod handling;
mod job;
mod publishing;

use std::future::Future;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use async_nats::jetstream;
use bench_timed::median;
use testbed::{NatsServer, Tools};
use treaty_nats::{Connection, Event as _, NatsConfig, connect};

use job::{Job, STREAM};

/// Messages of a measurement; those of the slow way are fewer.
const MESSAGES: usize = 100_000;
const FEW: usize = 25_000;

/// What `publish_all` must reach: times ten tasks that await each confirmation, and of the
/// loop with windows.
const ONE_BY_ONE_GOAL: f64 = 3.5;
const WINDOWS_GOAL: f64 = 0.95;

/// What the handler must reach of a loop by hand.
const HANDLING_GOAL: f64 = 0.9;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let rounds = match std::env::args().nth(1) {
        None => 7,
        Some(rounds) => rounds.parse().context("a number of rounds")?,
    };
    let directory = tempfile::tempdir()?;
    let tools = Tools::new()?;
    let server = NatsServer::start(&tools, directory.path())?;
    let client = async_nats::connect(server.url()).await?;
    let bench = Bench {
        connection: connect(&NatsConfig::new(server.url())).await?,
        jetstream: jetstream::new(client),
    };
    let kept = bench.run(rounds).await?;
    server.stop();
    if !kept {
        println!("\nA limit is not kept.");
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Bench {
    connection: Connection,
    jetstream: jetstream::Context,
}

impl Bench {
    async fn run(&self, rounds: usize) -> Result<bool> {
        let mut rates: [Vec<f64>; 5] = Default::default();
        for round in 0..rounds {
            self.empty().await?;
            let [slow, windows, ours] =
                ["slow", "windows", "ours"].map(|way| format!("{way}-{round}"));
            let slow = publishing::one_by_one(&self.jetstream, &slow, FEW);
            rates[0].push(timed(FEW, slow).await?);
            self.empty().await?;
            let windows = publishing::windows(&self.jetstream, &windows, MESSAGES);
            rates[1].push(timed(MESSAGES, windows).await?);
            self.empty().await?;
            let ours = publishing::ours(&self.connection, &ours, MESSAGES);
            rates[2].push(timed(MESSAGES, ours).await?);
            // What was published last is what is handled.
            let by_hand = handling::by_hand(&self.jetstream, MESSAGES);
            rates[3].push(timed(MESSAGES, by_hand).await?);
            rates[4].push(timed(MESSAGES, handling::ours(&self.connection, MESSAGES)).await?);
        }
        println!("messages a second, 128 bytes, file storage, median of {rounds} rounds\n");
        println!("| | a second | to ours |");
        println!("| --- | --- | --- |");
        let row = |name: &str, of: usize, ours: usize| {
            println!(
                "| {name} | {:.0} | {:.2} |",
                median(rates[of].clone()),
                ratio(&rates[ours], &rates[of])
            );
        };
        row("ten tasks, each awaits every confirmation", 0, 2);
        row("ten tasks, 400 unconfirmed each", 1, 2);
        row("publish_all", 2, 2);
        row("a loop, 256 in flight, acknowledgements confirmed", 3, 4);
        row("run_handler, the same", 4, 4);
        Ok(ratio(&rates[2], &rates[0]) >= ONE_BY_ONE_GOAL
            && ratio(&rates[2], &rates[1]) >= WINDOWS_GOAL
            && ratio(&rates[4], &rates[3]) >= HANDLING_GOAL)
    }

    /// The stream anew, without messages and consumers.
    async fn empty(&self) -> Result<()> {
        let _ = self.jetstream.delete_stream(STREAM).await;
        self.connection.ensure_streams(&[Job::STREAM]).await?;
        Ok(())
    }
}

async fn timed(count: usize, work: impl Future<Output = Result<()>>) -> Result<f64> {
    let started = Instant::now();
    work.await?;
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

/// How many times as fast the first are: the median over rounds.
fn ratio(first: &[f64], second: &[f64]) -> f64 {
    median(first.iter().zip(second).map(|(first, second)| first / second).collect())
}
