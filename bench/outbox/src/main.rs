//! Messages a second from the api's outbox to the stream, and how long one takes.
//!
//! Relay and loop empty the same rows of one Postgres, whose commits are on disk before they
//! are acknowledged, into one nats-server. Rounds go from one to the next, so that a busy
//! moment meets all; what they are to each other is the median over rounds.

mod latency;
mod plain;
mod rows;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use api::config::OutboxConfig;
use api::outbox::{Publishers, Relay};
use api_port::sync_v1::SyncAthlete;
use bench_timed::median;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::sync::Arc;
use testbed::{NatsOptions, NatsServer, Postgres, PostgresOptions, Tools};
use tokio_util::sync::CancellationToken;
use treaty_nats::{Connection, NatsConfig, Publisher, connect};

/// What the relay must reach of the loop, where messages have many subjects.
const GOAL: f64 = 3.0;

/// Messages of a measurement, and the subjects that they have.
const CASES: [(&str, u32, u32); 3] =
    [("a subject each", 6_000, 6_000), ("100 subjects", 6_000, 100), ("one subject", 2_000, 1)];

/// How often is looked whether relays have ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long relays may take for the messages of a measurement.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who empties the outbox.
#[derive(Clone, Copy)]
enum Way {
    /// The loop that reads, publishes and marks one row after the other.
    Plain,
    /// So many relays.
    Relays(usize),
}

const WAYS: [Way; 3] = [Way::Plain, Way::Relays(1), Way::Relays(2)];

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let rounds = match std::env::args().nth(1) {
        None => 5,
        Some(rounds) => rounds.parse().context("a number of rounds")?,
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let directory = tempfile::tempdir()?;
    // The server may run as another user, who must be able to pass through.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(directory.path(), open)?;
    let tools = Tools::new()?;
    let options = PostgresOptions { durable: true, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(&tools, directory.path().join("postgres"), options)?;
    let nats =
        NatsServer::start_with(&tools, directory.path().join("nats"), &NatsOptions::default())?;
    postgres.create_database("bench")?;
    let pool = PgPoolOptions::new().max_connections(8).connect(&postgres.url("bench")).await?;
    api::database::migrate(&pool).await?;
    let connection = connect(&NatsConfig::new(nats.url())).await?;
    connection.ensure_streams(api_port::STREAMS).await?;
    let kept = throughput(&pool, &connection, rounds).await?;
    latency::measure(&pool, &connection, &nats.url()).await?;
    pool.close().await;
    nats.stop();
    postgres.stop();
    if !kept {
        println!("\nA limit is not kept.");
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The relay as the api makes it.
fn relay(pool: &PgPool, connection: &Connection) -> Relay {
    let publisher = Publisher::<SyncAthlete>::new(connection);
    let publisher = publisher.giving_up_after(Relay::GIVE_UP_AFTER);
    let publishers = Publishers::default().with(Arc::new(publisher));
    Relay::new(pool.clone(), publishers, OutboxConfig::default())
}

async fn throughput(pool: &PgPool, connection: &Connection, rounds: usize) -> Result<bool> {
    println!("messages a second from outbox to stream, fsync on, median of {rounds} rounds\n");
    println!("| messages have | a plain loop | one relay | two relays | one to the loop |");
    println!("| --- | --- | --- | --- | --- |");
    let mut kept = true;
    for (case, messages, subjects) in CASES {
        let mut rates: [Vec<f64>; 3] = Default::default();
        for round in 0..rounds {
            // Who comes first changes, because the last finds the files grown.
            for step in 0..WAYS.len() {
                let way = (round + step) % WAYS.len();
                rates[way].push(rate(pool, connection, WAYS[way], messages, subjects).await?);
            }
        }
        let [plain, one, two] = rates;
        let ratio = median(one.iter().zip(&plain).map(|(one, plain)| one / plain).collect());
        // Within one subject nothing can go side by side.
        kept &= subjects == 1 || ratio >= GOAL;
        let [plain, one, two] = [plain, one, two].map(median);
        println!("| {case} | {plain:.0} | {one:.0} | {two:.0} | {ratio:.2} |");
    }
    Ok(kept)
}

async fn rate(
    pool: &PgPool,
    connection: &Connection,
    way: Way,
    messages: u32,
    subjects: u32,
) -> Result<f64> {
    rows::fill(pool, messages, subjects).await?;
    let started = Instant::now();
    match way {
        Way::Plain => plain::empty(pool, connection).await?,
        Way::Relays(count) => empty(pool, connection, count).await?,
    }
    let took = started.elapsed().as_secs_f64();
    anyhow::ensure!(rows::left(pool).await? == 0, "messages were left");
    Ok(f64::from(messages) / took)
}

/// Lets so many relays run, as they do in so many apis, until nothing is left.
async fn empty(pool: &PgPool, connection: &Connection, count: usize) -> Result<()> {
    let relays: Vec<_> = (0..count).map(|_| relay(pool, connection)).collect();
    let shutdown = CancellationToken::new();
    let running = futures::future::join_all(relays.iter().map(|one| one.run(shutdown.clone())));
    let emptied = async {
        let _stop = shutdown.drop_guard_ref();
        while rows::left(pool).await? > 0 {
            // Seldom enough to take nothing from those who are measured.
            tokio::time::sleep(LOOK_EVERY).await;
        }
        anyhow::Ok(())
    };
    let (_, emptied) = tokio::join!(running, tokio::time::timeout(PATIENCE, emptied));
    emptied.context("the relays did not come to an end")?
}
