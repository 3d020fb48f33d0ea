//! Messages a second through one server on this machine.
//!
//! Rounds go from one way to the next on the same server, so that a busy moment meets all;
//! what they are to each other is the median over rounds.

mod durable;
mod handling;
mod job;
mod memory;
mod publishing;
mod table;

use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use async_nats::{Client, jetstream};
use testbed::{NatsOptions, NatsServer, Tools};
use treaty_nats::{Connection, Event as _, NatsConfig, connect};

use job::{Job, STREAM};
use table::{Row, Table};

/// Messages of a measurement; those of the slow way are fewer.
const MESSAGES: usize = 100_000;
const FEW: usize = 25_000;

/// What `publish_all` must reach: times ten tasks that await each confirmation, and of each
/// loop that has many on their way.
const ONE_BY_ONE_GOAL: f64 = 3.5;
const LOOP_GOAL: f64 = 0.95;

/// What a publisher of a million messages may have resident.
const MEMORY_LIMIT: u64 = 64 << 20;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let (rounds, only) = match (arguments.next(), arguments.next()) {
        (Some(verb), Some(url)) if verb == memory::VERB => return memory::feed(&url).await,
        (Some(rounds), only) => (rounds.parse().context("a number of rounds")?, only),
        (None, _) => (7, None),
    };
    let handling_alone = match only.as_deref() {
        None => false,
        Some("handling") => true,
        Some(other) => bail!("there is no part `{other}`: leave it out, or say `handling`"),
    };
    let directory = tempfile::tempdir()?;
    let tools = Tools::new()?;
    let usual = Bench::start(&tools, &directory.path().join("usual"), false).await?;
    let mut kept = true;
    if !handling_alone {
        kept &= usual.publishing(rounds).await?;
    }
    kept &= handling::compared(&usual, rounds).await?;
    if handling_alone {
        usual.server.stop();
    } else {
        kept &= usual.memory().await?;
        usual.server.stop();
        let durable = Bench::start(&tools, &directory.path().join("durable"), true).await?;
        kept &= durable::publishing(&durable, rounds).await?;
        durable.server.stop();
    }
    if !kept {
        println!("\nA limit is not kept.");
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A server, and the two ways to it.
struct Bench {
    server: NatsServer,
    connection: Connection,
    client: Client,
    jetstream: jetstream::Context,
}

impl Bench {
    async fn start(tools: &Tools, directory: &Path, durable: bool) -> Result<Self> {
        let options = NatsOptions { durable, ..NatsOptions::default() };
        let server = NatsServer::start_with(tools, directory, &options)?;
        let client = async_nats::connect(server.url()).await?;
        Ok(Self {
            connection: connect(&NatsConfig::new(server.url())).await?,
            jetstream: jetstream::new(client.clone()),
            client,
            server,
        })
    }

    async fn publishing(&self, rounds: usize) -> Result<bool> {
        let mut table = Table::new(&[
            Row::against("ten tasks, each awaits every confirmation", 3, ONE_BY_ONE_GOAL),
            Row::against("ten tasks, 400 unconfirmed each", 3, LOOP_GOAL),
            Row::against("one task, 4,096 unconfirmed, a subscription of its own", 3, LOOP_GOAL),
            Row::alone("`publish_all` with default options"),
        ]);
        let (jetstream, connection) = (&self.jetstream, &self.connection);
        for round in 0..rounds {
            let run = format!("{round}");
            self.empty().await?;
            let slow = publishing::one_by_one(jetstream, &run, FEW, 10);
            table.add(0, timed(FEW, slow).await?);
            self.empty().await?;
            let windows = publishing::windows(jetstream, &run, MESSAGES);
            table.add(1, timed(MESSAGES, windows).await?);
            self.empty().await?;
            let own = publishing::own_replies(&self.client, &run, MESSAGES);
            table.add(2, timed(MESSAGES, own).await?);
            self.empty().await?;
            let ours = publishing::ours(connection, &run, MESSAGES, false);
            table.add(3, timed(MESSAGES, ours).await?);
        }
        println!("messages a second, 128 bytes, file storage, median of {rounds} rounds\n");
        Ok(table.print())
    }

    /// What a publisher takes that is fed a million.
    async fn memory(&self) -> Result<bool> {
        self.empty().await?;
        let bytes = memory::of_a_publisher(&self.server.url())?;
        println!(
            "\na publisher fed {} messages: at most {} MiB resident (limit {})",
            memory::MESSAGES,
            bytes >> 20,
            MEMORY_LIMIT >> 20
        );
        Ok(bytes < MEMORY_LIMIT)
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
