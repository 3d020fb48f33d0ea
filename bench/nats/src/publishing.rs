//! Publishing: every way has each message confirmed by the stream, under an id.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use async_nats::jetstream::{self, message::PublishMessage};
use futures::StreamExt;
use futures::stream::{self, FuturesUnordered};
use prost::Message;
use treaty_error::Error;
use treaty_nats::{Connection, Feeder, Publish as _, PublishOptions};

use crate::job::{Job, SUBJECT};

/// Tasks of each way.
const TASKS: usize = 10;

/// Messages in flight of each task, for the loop that checks every confirmation.
const WINDOW: usize = 400;

/// Messages of a page.
const PAGE: usize = 1000;

/// Pages of a run, made as they are asked for.
struct Pages {
    run: String,
    next: usize,
    end: usize,
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

/// `publish_all`, as it is when nothing is set.
pub async fn ours(connection: &Connection, run: &str, count: usize) -> Result<()> {
    let mut pages = Pages { run: run.to_owned(), next: 0, end: count };
    let publisher = connection.publisher::<Job>();
    let report = publisher.publish_all(&mut pages, PublishOptions::default()).await?;
    ensure!(report.published == count as u64, "{report:?}");
    Ok(())
}

fn prepared(job: &Job) -> PublishMessage {
    PublishMessage::build().payload(job.encode_to_vec().into()).message_id(&job.id)
}

/// Ten tasks, each of which awaits every confirmation before the next message.
pub async fn one_by_one(jetstream: &jetstream::Context, run: &str, count: usize) -> Result<()> {
    in_tasks(jetstream, run, count, 1).await
}

/// Ten tasks with a window of unconfirmed messages each: what the client can do.
pub async fn windows(jetstream: &jetstream::Context, run: &str, count: usize) -> Result<()> {
    in_tasks(jetstream, run, count, WINDOW).await
}

async fn in_tasks(
    jetstream: &jetstream::Context,
    run: &str,
    count: usize,
    window: usize,
) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: FuturesUnordered<_> = (0..TASKS)
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
                            let sent = jetstream.send_publish(SUBJECT, prepared(&job)).await?;
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
