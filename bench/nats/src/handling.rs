//! Handling: each way with acknowledgements that the server confirms, and with such that are sent
//! and not waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use async_nats::jetstream::{self, AckKind, consumer::pull};
use futures::StreamExt;
use prost::Message;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_nats::{
    Ack, Connection, Delivery, Event as _, Handle, HandlerSpec, HandlerStats, run_handler,
};

use crate::job::{Job, STREAM};

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

/// `run_handler`, until the last message is handled and everything is acknowledged.
pub async fn ours(connection: &Connection, ack: Ack, count: usize) -> Result<()> {
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
    if acked != count as u64 {
        bail!("{acked} of {count} were acknowledged");
    }
    Ok(())
}

/// A loop over async-nats: as many messages asked for at a time, and with confirmations the same
/// number in flight.
pub async fn by_hand(jetstream: &jetstream::Context, ack: Ack, count: usize) -> Result<()> {
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
    // The last acknowledgements were sent and are not known to have arrived: ours are flushed, too.
    while consumer.info().await?.num_ack_pending > 0 {
        tokio::task::yield_now().await;
    }
    stream.delete_consumer("by-hand").await?;
    Ok(())
}
