//! Activities a second into one Postgres, through the api's repository and by a bare loop.
//!
//! Both ways write batches of the same shape over one connection into the same table, batch by
//! batch in turn, so that a busy moment meets both. What they are to each other is the median
//! over rounds.

mod bare;
mod ours;
mod rows;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bench_timed::median;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use testbed::{Postgres, PostgresOptions, Tools};

use ours::Ours;
use rows::Rows;

/// Activities of a measurement.
const ACTIVITIES: usize = 20_000;

/// What the api must reach of the loop.
const GOAL: f64 = 0.8;

/// Activities of a batch: a page of Strava's, and what the api takes at most.
const BATCHES: [usize; 2] = [200, 1_000];

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let rounds = match std::env::args().nth(1) {
        None => 7,
        Some(rounds) => rounds.parse().context("a number of rounds")?,
    };
    let directory = tempfile::tempdir()?;
    // The server may run as another user, who must be able to pass through.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(directory.path(), open)?;
    let options = PostgresOptions { durable: true, ..PostgresOptions::default() };
    let server = Postgres::start_with(&Tools::new()?, directory.path().join("postgres"), options)?;
    server.create_database("bench")?;
    let pool = PgPoolOptions::new().max_connections(1).connect(&server.url("bench")).await?;
    api::database::migrate(&pool).await?;
    let kept = run(&pool, rounds).await?;
    pool.close().await;
    server.stop();
    if !kept {
        println!("\nA limit is not kept.");
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run(pool: &PgPool, rounds: usize) -> Result<bool> {
    println!("activities a second, one connection, fsync on, median of {rounds} rounds\n");
    println!("| batch | case | a bare loop | the api | ratio |");
    println!("| --- | --- | --- | --- | --- |");
    let mut kept = true;
    for batch in BATCHES {
        let mut rates: [[Vec<f64>; 2]; 2] = Default::default();
        for _ in 0..rounds {
            for (case, pair) in measure(pool, batch).await?.into_iter().enumerate() {
                for (way, rate) in pair.into_iter().enumerate() {
                    rates[case][way].push(rate);
                }
            }
        }
        for (case, [bare, ours]) in ["new rows", "changed rows"].into_iter().zip(rates) {
            let ratio = median(ours.iter().zip(&bare).map(|(ours, bare)| ours / bare).collect());
            kept &= ratio >= GOAL;
            println!(
                "| {batch} | {case} | {:.0} | {:.0} | {ratio:.2} |",
                median(bare),
                median(ours)
            );
        }
    }
    Ok(kept)
}

/// Rows a second of the loop and of the api, when they are new, and when each has changed.
async fn measure(pool: &PgPool, batch: usize) -> Result<[[f64; 2]; 2]> {
    sqlx::raw_sql("TRUNCATE athletes CASCADE; CHECKPOINT").execute(pool).await?;
    let mut bare = Rows::new(pool, 0, ACTIVITIES).await?;
    let mut rows = Rows::new(pool, ACTIVITIES, ACTIVITIES).await?;
    let ours = Ours::begin(pool, rows.athlete).await?;
    let mut rates = [[0.0; 2]; 2];
    for rates in &mut rates {
        let mut took = [Duration::ZERO; 2];
        let batches = bare.activities.chunks(batch).zip(rows.activities.chunks(batch));
        for (number, (bare_batch, our_batch)) in batches.enumerate() {
            // Who comes first changes, because the second finds the caches warm.
            for way in if number % 2 == 0 { [0, 1] } else { [1, 0] } {
                let started = Instant::now();
                match way {
                    0 => bare::upsert(pool, bare.athlete, bare_batch).await?,
                    _ => ours.upsert(our_batch).await?,
                }
                took[way] += started.elapsed();
            }
        }
        *rates = took.map(|took| ACTIVITIES as f64 / took.as_secs_f64());
        bare.change();
        rows.change();
    }
    Ok(rates)
}
