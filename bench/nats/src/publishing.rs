//! Publishing: every way has each message confirmed by the stream, under an id, and sends
//! the same headers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::{self, message::PublishMessage, publish::PublishAck};
use async_nats::{Client, HeaderMap, Message};
use futures::stream::{self, FuturesUnordered};
use futures::{FutureExt, StreamExt};
use prost::Message as _;
use treaty_error::Error;
use treaty_nats::{Connection, Event as _, Feeder, Publish as _, PublishOptions, headers};

use crate::job::{Job, STREAM, SUBJECT};

/// Tasks of each way but the last.
const TASKS: usize = 10;

/// Messages in flight of each task, for the loop that checks every confirmation.
const WINDOW: usize = 400;

/// Messages in flight of the one task that has a subscription of its own.
const ONE_WINDOW: usize = 4_096;

/// Messages of a page.
const PAGE: usize = 1_000;

/// Pages of a run, made as they are asked for.
pub struct Pages {
    run: String,
    next: usize,
    end: usize,
}

impl Pages {
    pub fn new(run: &str, count: usize) -> Self {
        Self { run: run.to_owned(), next: 0, end: count }
    }
}

#[async_trait::async_trait]
impl Feeder<Job> for Pages {
    async fn next_page(&mut self) -> Result<Vec<Job>, Error> {
        let end = self.end.min(self.next + PAGE);
        let page = (self.next..end).map(|number| Job::new(&self.run, number)).collect();
        self.next = end;
        Ok(page)
    }
}

/// `publish_all` as it is when nothing is set, for a stream that takes batches or does not.
pub async fn ours(connection: &Connection, run: &str, count: usize, batches: bool) -> Result<()> {
    let publisher = connection.publisher::<Job>();
    let options = PublishOptions { atomic_batches: batches, ..PublishOptions::default() };
    let report = publisher.publish_all(&mut Pages::new(run, count), options).await?;
    ensure!(report.published == count as u64, "{report:?}");
    Ok(())
}

fn headers_of(job: &Job) -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert(headers::EVENT, Job::FULL_NAME);
    map.insert(headers::MESSAGE_ID, job.id.as_str());
    map.insert(headers::EXPECTED_STREAM, STREAM);
    map
}

/// Tasks, each of which awaits every confirmation before the next message.
pub async fn one_by_one(
    jetstream: &jetstream::Context,
    run: &str,
    count: usize,
    tasks: usize,
) -> Result<()> {
    in_tasks(jetstream, run, count, tasks, 1).await
}

/// Ten tasks with a window of unconfirmed messages each, as the client offers it.
pub async fn windows(jetstream: &jetstream::Context, run: &str, count: usize) -> Result<()> {
    in_tasks(jetstream, run, count, TASKS, WINDOW).await
}

async fn in_tasks(
    jetstream: &jetstream::Context,
    run: &str,
    count: usize,
    tasks: usize,
    window: usize,
) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: FuturesUnordered<_> = (0..tasks)
        .map(|_| {
            let (jetstream, run, next) = (jetstream.clone(), run.to_owned(), Arc::clone(&next));
            tokio::spawn(async move {
                let messages = stream::iter(std::iter::from_fn(|| {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    (number < count).then(|| Job::new(&run, number))
                }));
                let mut confirmed = messages
                    .map(|job| {
                        let jetstream = jetstream.clone();
                        async move {
                            let message = PublishMessage::build()
                                .payload(job.encode_to_vec().into())
                                .headers(headers_of(&job));
                            let sent = jetstream.send_publish(SUBJECT, message).await?;
                            anyhow::Ok(sent.await?)
                        }
                    })
                    .buffer_unordered(window);
                while let Some(ack) = confirmed.next().await {
                    ensure!(!ack?.duplicate, "a duplicate");
                }
                anyhow::Ok(())
            })
        })
        .collect();
    let ended: Vec<_> = tasks.collect().await;
    ended.into_iter().try_for_each(|ended| ended?)
}

/// One task that has all answers come to a subscription of its own, and knows by the
/// subject of each which message it confirms; it gives up at the first that is not.
pub async fn own_replies(client: &Client, run: &str, count: usize) -> Result<()> {
    let prefix = format!("{}.", client.new_inbox());
    let mut answers = client.subscribe(format!("{prefix}*")).await?;
    let mut open = vec![false; count];
    let (mut sent, mut confirmed) = (0, 0);
    let mut confirm = |open: &mut Vec<bool>, answer: &Message| -> Result<()> {
        let number = answer.subject.strip_prefix(prefix.as_str()).context("a foreign answer")?;
        let open = open.get_mut(number.parse::<usize>()?).context("an unknown number")?;
        let ack: PublishAck = serde_json::from_slice(&answer.payload)?;
        ensure!(std::mem::take(open) && !ack.duplicate && ack.sequence > 0, "{ack:?}");
        confirmed += 1;
        Ok(())
    };
    let mut left = count;
    while left > 0 {
        while sent < count && sent + left - count < ONE_WINDOW {
            let job = Job::new(run, sent);
            let (reply, payload) = (format!("{prefix}{sent}"), job.encode_to_vec().into());
            open[sent] = true;
            client
                .publish_with_reply_and_headers(SUBJECT, reply, headers_of(&job), payload)
                .await?;
            sent += 1;
        }
        let mut answer = answers.next().await;
        while let Some(one) = answer {
            confirm(&mut open, &one)?;
            left -= 1;
            answer = answers.next().now_or_never().flatten();
        }
    }
    ensure!(confirmed == count, "{confirmed} of {count} were confirmed");
    Ok(())
}
