//! Handling: each way with acknowledgements that the server confirms, and with such that are sent
//! and not waited for.
//!
//! Both ways read the same messages with a consumer of their own, which is made within the
//! measurement and deleted after it. A measurement ends when the server has nothing unanswered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::{self, AckKind, consumer::pull};
use bench_timed::median;
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_nats::{
    Ack, Connection, Delivery, Event as _, Handle, HandlerSpec, HandlerStats, run_handler,
};

use crate::job::{Job, STREAM};
use crate::table::{Row, Table};
use crate::{Bench, MESSAGES, publishing, timed};

/// What the handler must reach of a loop by hand.
const GOAL: f64 = 0.9;

/// Times a round that each way has its turn.
const PAIRS: usize = 3;

/// Messages in work at a time.
const CONCURRENCY: usize = 256;

const CONFIRMED: HandlerSpec = HandlerSpec {
    durable: "bench-confirmed",
    stream: Job::STREAM,
    event: Job::FULL_NAME,
    filter: Job::SUBJECTS,
    concurrency: CONCURRENCY,
    ack_wait: Duration::from_secs(30),
    max_deliver: 5,
    backoff: &[Duration::from_secs(1)],
    ack: Ack::Confirmed,
    ordered_by: &[],
};

const UNCONFIRMED: HandlerSpec =
    HandlerSpec { durable: "bench-unconfirmed", ack: Ack::Unconfirmed, ..CONFIRMED };

/// Counts, and tells when it has seen all.
struct Counter {
    left: AtomicUsize,
    done: Notify,
}

#[async_trait::async_trait]
impl Handle<Job> for Counter {
    async fn handle(&self, _: &Delivery, _: Job) -> Result<(), Error> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.done.notify_one();
        }
        Ok(())
    }
}

/// `run_handler` beside a loop over async-nats, in turn; tells whether the limits are kept.
pub async fn compared(bench: &Bench, rounds: usize) -> Result<bool> {
    bench.empty().await?;
    publishing::ours(&bench.connection, "handling", MESSAGES, false).await?;
    let mut table = Table::new(&[
        Row::against("a loop, 256 in flight, acknowledgements confirmed", 1, GOAL),
        Row::alone("`run_handler`, the same"),
        Row::against("a loop, 256 asked for, acknowledgements unconfirmed", 3, GOAL),
        Row::alone("`run_handler`, the same"),
    ]);
    let mut processor = [const { Vec::new() }; 4];
    for round in 0..rounds * PAIRS {
        for (row, ack) in [(0, Ack::Confirmed), (2, Ack::Unconfirmed)] {
            // Whoever is second finds the caches warm, or the machine tired: each is first as often.
            for way in [round % 2, 1 - round % 2] {
                let before = processor_micros()?;
                let rate = match way {
                    0 => timed(MESSAGES, by_hand(&bench.jetstream, ack, MESSAGES)).await?,
                    _ => timed(MESSAGES, ours(&bench.connection, ack, MESSAGES)).await?,
                };
                processor[row + way].push((processor_micros()? - before) / MESSAGES as f64);
                table.add(row + way, rate);
                forget_consumers(&bench.jetstream).await?;
            }
        }
    }
    println!("\nmessages handled a second, median of {} pairs in turn\n", rounds * PAIRS);
    let kept = table.print();
    let [loop_confirmed, confirmed, loop_unconfirmed, unconfirmed] = processor.map(median);
    println!(
        "\nprocessor of this process, \u{b5}s a message: confirmed {loop_confirmed:.1} by the loop and \
         {confirmed:.1} by `run_handler`, unconfirmed {loop_unconfirmed:.1} and {unconfirmed:.1}"
    );
    Ok(kept)
}

/// Processor time of this process so far, in microseconds. The kernel counts in hundredths of a
/// second, and tells so in `/proc`.
fn processor_micros() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat without a name")?;
    // utime and stime are the 14th and 15th; the third is the first here.
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? * 10_000.0)
}

async fn forget_consumers(jetstream: &jetstream::Context) -> Result<()> {
    let stream = jetstream.get_stream(STREAM).await?;
    let mut names = stream.consumer_names();
    while let Some(name) = names.try_next().await? {
        stream.delete_consumer(&name).await?;
    }
    Ok(())
}

/// `run_handler`, until the last message is handled and everything is acknowledged.
async fn ours(connection: &Connection, ack: Ack, count: usize) -> Result<()> {
    let spec = match ack {
        Ack::Confirmed => &CONFIRMED,
        Ack::Unconfirmed => &UNCONFIRMED,
    };
    let counter = Arc::new(Counter { left: AtomicUsize::new(count), done: Notify::new() });
    let shutdown = CancellationToken::new();
    let stats = Arc::new(HandlerStats::default());
    let handling = tokio::spawn(run_handler::<Job, _>(
        connection.clone(),
        spec,
        Arc::clone(&counter),
        shutdown.clone(),
        Arc::clone(&stats),
    ));
    counter.done.notified().await;
    shutdown.cancel();
    handling.await??;
    let acked = stats.snapshot().acked;
    ensure!(acked == count as u64, "{acked} of {count} were acknowledged");
    while connection.consumer_info(spec).await?.num_ack_pending > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// A loop over async-nats: as many messages asked for at a time, and with confirmations the same
/// number in flight.
async fn by_hand(jetstream: &jetstream::Context, ack: Ack, count: usize) -> Result<()> {
    let stream = jetstream.get_stream(STREAM).await?;
    let config = pull::Config {
        durable_name: Some("by-hand".to_owned()),
        max_ack_pending: 10_000,
        ..pull::Config::default()
    };
    let mut consumer = stream.create_consumer(config).await?;
    let messages = consumer
        .stream()
        .max_messages_per_batch(CONCURRENCY)
        .heartbeat(Duration::from_secs(5))
        .messages()
        .await?;
    let mut messages = messages.take(count);
    match ack {
        Ack::Confirmed => {
            let mut acknowledged = messages
                .map(|message| async move {
                    let message = message?;
                    Job::decode(message.payload.clone())?;
                    message.double_ack_with(AckKind::Ack).await.map_err(anyhow::Error::from_boxed)
                })
                .buffer_unordered(CONCURRENCY);
            while let Some(acknowledged) = acknowledged.next().await {
                acknowledged?;
            }
        }
        Ack::Unconfirmed => {
            while let Some(message) = messages.next().await {
                let message = message?;
                Job::decode(message.payload.clone())?;
                message.ack().await.map_err(anyhow::Error::from_boxed)?;
            }
        }
    }
    while consumer.info().await?.num_ack_pending > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}
