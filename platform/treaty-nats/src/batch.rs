//! Publishing many messages with bounded memory.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use treaty_error::{Code, Error};

use crate::{Event, Outgoing, Published, Publisher};

/// Yields what is to be published, a page at a time.
#[async_trait]
pub trait Feeder<E>: Send {
    /// The next page; an empty one ends the feed. Not called again before the
    /// publishers have room for the page.
    async fn next_page(&mut self) -> Result<Vec<E>, Error>;
}

/// A feeder over a listing with cursors, as APIs with page tokens offer it: the
/// function gets a cursor and returns a page with the cursor of the next, or
/// `None` after the last.
pub fn paged<E, C, F, Fut>(start: C, fetch: F) -> Paged<C, F>
where
    C: Send,
    F: FnMut(C) -> Fut + Send,
    Fut: Future<Output = Result<(Vec<E>, Option<C>), Error>> + Send,
{
    Paged { cursor: Some(start), fetch }
}

/// See [`paged`].
#[derive(Debug)]
pub struct Paged<C, F> {
    cursor: Option<C>,
    fetch: F,
}

#[async_trait]
impl<E, C, F, Fut> Feeder<E> for Paged<C, F>
where
    E: Send,
    C: Send,
    F: FnMut(C) -> Fut + Send,
    Fut: Future<Output = Result<(Vec<E>, Option<C>), Error>> + Send,
{
    async fn next_page(&mut self) -> Result<Vec<E>, Error> {
        // A page in the middle of a filtered listing may be empty.
        while let Some(cursor) = self.cursor.take() {
            let (page, next) = (self.fetch)(cursor).await?;
            self.cursor = next;
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }
}

/// How [`publish_all`](crate::Publish::publish_all) works.
#[derive(Clone)]
pub struct PublishOptions {
    /// Tasks that publish at the same time.
    pub publishers: usize,
    /// Messages that each of them may have sent and not yet seen confirmed.
    pub window: usize,
    /// Messages that may fail for good before the whole run is given up.
    pub max_failures: u64,
    /// Told how far the run is, after each page.
    pub on_progress: Option<Arc<dyn Fn(PublishProgress) + Send + Sync>>,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self { publishers: 10, window: 128, max_failures: 100, on_progress: None }
    }
}

impl fmt::Debug for PublishOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishOptions")
            .field("publishers", &self.publishers)
            .field("window", &self.window)
            .field("max_failures", &self.max_failures)
            .finish_non_exhaustive()
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublishProgress {
    /// Messages that the feeder has yielded.
    pub fed: u64,
    /// Messages that the stream has newly stored.
    pub published: u64,
    /// Messages that the stream had already.
    pub duplicates: u64,
    /// Messages that failed for good.
    pub failed: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishReport {
    /// Messages that the stream has newly stored.
    pub published: u64,
    /// Messages that the stream had already.
    pub duplicates: u64,
    /// Messages that failed for good.
    pub failed: u64,
    /// The first few of them.
    pub failures: Vec<PublishFailure>,
}

/// A message that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishFailure {
    /// Its deduplication key.
    pub message_id: Option<String>,
    /// The code of the failure.
    pub code: Code,
    /// The failure, fit to be shown.
    pub reason: String,
}

impl PublishReport {
    const SHOWN_FAILURES: usize = 10;

    /// Makes failed messages an error, for callers that repeat the whole run.
    ///
    /// # Errors
    /// At least one message failed; the code is that of the first.
    pub fn into_result(self) -> Result<Self, Error> {
        let Some(first) = self.failures.first() else { return Ok(self) };
        let message = format!(
            "{} of {} messages were not published; the first: {}",
            self.failed,
            self.failed + self.published + self.duplicates,
            first.reason
        );
        Err(Error::new(first.code, message))
    }

    /// Counts one outcome.
    pub(crate) fn add(&mut self, message_id: Option<String>, outcome: Result<Published, Error>) {
        match outcome {
            Ok(Published { duplicate: false, .. }) => self.published += 1,
            Ok(_) => self.duplicates += 1,
            Err(error) => {
                self.failed += 1;
                if self.failures.len() < Self::SHOWN_FAILURES {
                    let (code, reason) = (error.code(), error.to_string());
                    self.failures.push(PublishFailure { message_id, code, reason });
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.published += other.published;
        self.duplicates += other.duplicates;
        self.failed += other.failed;
        let room = Self::SHOWN_FAILURES.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.into_iter().take(room));
    }
}

/// What the publishers have done so far, all together.
#[derive(Default)]
struct Counters {
    fed: AtomicU64,
    published: AtomicU64,
    duplicates: AtomicU64,
    failed: AtomicU64,
}

impl Counters {
    fn progress(&self) -> PublishProgress {
        PublishProgress {
            fed: self.fed.load(Ordering::Relaxed),
            published: self.published.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

type Pages<E> = Arc<Mutex<mpsc::Receiver<Vec<E>>>>;

pub(crate) async fn publish_all<E: Event>(
    publisher: &Publisher<E>,
    feeder: &mut dyn Feeder<E>,
    options: PublishOptions,
) -> Result<PublishReport, Error> {
    let counters = Arc::new(Counters::default());
    let publishers = options.publishers.max(1);
    let window = options.window.max(1);
    // One page waits while the publishers work on those before it: the feeder is
    // at most one page ahead.
    let (sender, receiver) = mpsc::channel(1);
    let pages: Pages<E> = Arc::new(Mutex::new(receiver));
    let mut tasks = JoinSet::new();
    for _ in 0..publishers {
        let run = Run {
            publisher: publisher.clone(),
            pages: Arc::clone(&pages),
            counters: Arc::clone(&counters),
            window,
        };
        tasks.spawn(run.work());
    }
    // The publishers alone hold the receiver now, so that sending fails once they
    // are all gone.
    drop(pages);

    let fed = feed(feeder, &sender, &counters, &options, window).await;
    drop(sender);
    let mut report = PublishReport::default();
    while let Some(joined) = tasks.join_next().await {
        report.merge(joined.map_err(Error::internal)?);
        notify(&options, &counters);
    }
    fed?;
    if report.failed > options.max_failures {
        return report.into_result();
    }
    Ok(report)
}

async fn feed<E: Event>(
    feeder: &mut dyn Feeder<E>,
    sender: &mpsc::Sender<Vec<E>>,
    counters: &Counters,
    options: &PublishOptions,
    window: usize,
) -> Result<(), Error> {
    // Without failures allowed the first one ends the feed.
    while counters.failed.load(Ordering::Relaxed) <= options.max_failures {
        let mut page = feeder.next_page().await?;
        if page.is_empty() {
            break;
        }
        counters.fed.fetch_add(u64::try_from(page.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        // A large page is split so that every publisher gets a part of it.
        while !page.is_empty() {
            let rest = page.split_off(page.len().min(window));
            let part = std::mem::replace(&mut page, rest);
            if sender.send(part).await.is_err() {
                return Err(Error::internal("every publisher ended before the feed did"));
            }
        }
        notify(options, counters);
    }
    Ok(())
}

fn notify(options: &PublishOptions, counters: &Counters) {
    if let Some(on_progress) = &options.on_progress {
        on_progress(counters.progress());
    }
}

/// One publisher's share of a run.
struct Run<E> {
    publisher: Publisher<E>,
    pages: Pages<E>,
    counters: Arc<Counters>,
    window: usize,
}

impl<E: Event> Run<E> {
    async fn work(self) -> PublishReport {
        let mut report = PublishReport::default();
        let mut waiting: VecDeque<E> = VecDeque::new();
        let mut in_flight = FuturesUnordered::new();
        let mut fed = true;
        while fed || !waiting.is_empty() || !in_flight.is_empty() {
            while in_flight.len() < self.window
                && let Some(event) = waiting.pop_front()
            {
                in_flight.push(self.publish(event));
            }
            let hungry = fed && waiting.is_empty() && in_flight.len() < self.window;
            tokio::select! {
                Some((id, outcome)) = in_flight.next(), if !in_flight.is_empty() => {
                    self.count(&mut report, id, outcome);
                }
                part = next_part(&self.pages), if hungry => match part {
                    Some(part) => waiting.extend(part),
                    None => fed = false,
                },
            }
        }
        report
    }

    async fn publish(&self, event: E) -> (Option<String>, Result<Published, Error>) {
        match Outgoing::from_event(&event) {
            Ok(outgoing) => {
                drop(event);
                let outcome = self.publisher.send(&outgoing).await;
                (outgoing.message_id, outcome)
            }
            Err(error) => (event.message_id(), Err(error)),
        }
    }

    fn count(
        &self,
        report: &mut PublishReport,
        id: Option<String>,
        outcome: Result<Published, Error>,
    ) {
        let counter = match &outcome {
            Ok(Published { duplicate: false, .. }) => &self.counters.published,
            Ok(_) => &self.counters.duplicates,
            Err(_) => &self.counters.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        report.add(id, outcome);
    }
}

async fn next_part<E>(pages: &Pages<E>) -> Option<Vec<E>> {
    pages.lock().await.recv().await
}
