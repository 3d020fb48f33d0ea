//! The loop of one durable consumer.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_nats::Message;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;
use treaty_error::{Code, Error};

use super::pull::{Lost, Pulled, Puller};
use super::watch::Watch;
use super::work::{Taken, Worker};
use super::{Handle, HandlerOptions, HandlerStats, RebuildReason, consumer};
use crate::{Connection, Event, HandlerSpec};

/// Messages that are taken one after the other before they are begun.
const IN_A_ROW: usize = 64;

/// Fewest messages for which a further task is worth its cost.
const BEGUN_TOGETHER: usize = 8;

/// How long messages may take to be given back when the grace of a shutdown is over.
const GIVING_BACK: Duration = Duration::from_secs(3);

/// How long a server that seems to be connected may leave everything unanswered before the
/// connection is made anew. Pings, which the client sends by itself, take 45 s to notice.
const UNANSWERED: Duration = Duration::from_secs(10);

/// Handles messages until `shutdown` is cancelled, then finishes what is in work.
///
/// # Errors
/// The declaration is wrong, or the server refuses it. Trouble that may pass is
/// waited out instead.
pub async fn run_handler<E, H>(
    connection: Connection,
    spec: &'static HandlerSpec,
    handler: Arc<H>,
    shutdown: CancellationToken,
    stats: Arc<HandlerStats>,
) -> Result<(), Error>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    let options = HandlerOptions::default();
    run_handler_with::<E, H>(connection, spec, handler, shutdown, stats, options).await
}

/// As [`run_handler`], with settings of the process.
///
/// # Errors
/// As [`run_handler`].
pub async fn run_handler_with<E, H>(
    connection: Connection,
    spec: &'static HandlerSpec,
    handler: Arc<H>,
    shutdown: CancellationToken,
    stats: Arc<HandlerStats>,
    options: HandlerOptions,
) -> Result<(), Error>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    spec.check()?;
    if spec.event != E::FULL_NAME {
        let message = format!("handler {} is declared for {}", spec.durable, spec.event);
        return Err(Error::new(Code::FailedPrecondition, message));
    }
    let worker = Worker::new(
        connection.clone(),
        spec,
        handler,
        Arc::clone(&stats),
        &options,
        shutdown.clone(),
    );
    let watch = Watch::new(connection.clone(), spec, stats, Arc::clone(&worker.load), &options);
    let telling = Arc::clone(&worker.progress).tell(connection.client().clone(), spec.ack_wait);
    let _telling = AbortOnDropHandle::new(tokio::spawn(telling));
    let span = tracing::info_span!("handler", durable = spec.durable);
    let drain_grace = options.drain_grace;
    let (worker, tasks) = (Arc::new(worker), TaskTracker::new());
    Run { connection, spec, worker, watch, tasks, shutdown, drain_grace }
        .run()
        .instrument(span)
        .await
}

struct Run<E, H: ?Sized> {
    connection: Connection,
    spec: &'static HandlerSpec,
    worker: Arc<Worker<E, H>>,
    watch: Watch,
    /// Those that messages are begun in, and one for each that goes on.
    tasks: TaskTracker,
    shutdown: CancellationToken,
    drain_grace: Duration,
}

impl<E, H> Run<E, H>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    async fn run(self) -> Result<(), Error> {
        let mut connections = self.connection.connections();
        // Dropped before it has drained, as when its process ends, it leaves its messages
        // unanswered.
        let _abandoning = self.worker.stops.abandon.clone().drop_guard();
        let Some(mut puller) = self.open(true).await? else { return Ok(()) };
        tracing::info!(concurrency = self.spec.concurrency, "handling {}", self.spec.event);
        loop {
            connections.mark_unchanged();
            let lost = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                lost = self.pull(&mut puller) => lost,
                lost = self.watch.lost() => lost,
                Ok(()) = connections.changed() => {
                    Lost::new(RebuildReason::Reconnected, "the connection was made anew")
                }
            };
            let (reason, words) = (lost.reason.as_str(), lost.words);
            tracing::warn!(reason, words, "setting the consumer up again");
            self.worker.stats.count_rebuild(lost.reason);
            // What the old subscription still holds has slots; nothing else would
            // answer it before its ack wait is over.
            self.take(puller.finish().await);
            match self.open(false).await? {
                Some(next) => puller = next,
                None => return self.drain(Vec::new()).await,
            }
        }
        let rest = puller.finish().await;
        self.drain(rest).await
    }

    /// Keeps the slots busy until the consumer is lost; returns why.
    async fn pull(&self, puller: &mut Puller) -> Lost {
        loop {
            if let Err(lost) = puller.ask(self.worker.load.room()).await {
                return lost;
            }
            let room_to_ask = puller.room_to_ask();
            let mut pulled = tokio::select! {
                pulled = puller.next() => Some(pulled),
                () = self.worker.load.reaches(room_to_ask) => puller.next_now(),
            };
            // From here to the end nothing is awaited, so that no message is taken and not begun.
            let mut taken = Vec::new();
            let lost = loop {
                match pulled {
                    Some(Pulled::Message(message)) => taken.extend(self.worker.take(message)),
                    Some(Pulled::Lost(lost)) => break Some(lost),
                    None => break None,
                }
                if taken.len() == IN_A_ROW {
                    break None;
                }
                pulled = puller.next_now();
            };
            self.begin(taken);
            if let Some(lost) = lost {
                return lost;
            }
        }
    }

    /// Begins messages, in as many tasks as there are threads to run them, each of which takes the
    /// next when it has begun one: most handlers are soon done or wait for somebody, and a task
    /// for each would take longer than its beginning. What goes on after its beginning gets a
    /// task of its own, so that no message waits for the end of another.
    fn begin(&self, taken: Vec<Taken>) {
        let threads = tokio::runtime::Handle::current().metrics().num_workers();
        let beginners = taken.len().div_ceil(BEGUN_TOGETHER).min(threads);
        let rest = Arc::new(Mutex::new(taken.into_iter()));
        for _ in 0..beginners {
            let (worker, tasks) = (Arc::clone(&self.worker), self.tasks.clone());
            let rest = Arc::clone(&rest);
            let next = move || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
            let begin = async move {
                while let Some(taken) = next() {
                    let worker = Arc::clone(&worker);
                    let work = async move { worker.work_until_abandoned(taken).await };
                    let mut work = Box::pin(work.in_current_span());
                    let begun = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
                    if begun.is_pending() {
                        tasks.spawn(work);
                    }
                }
            };
            self.tasks.spawn(begin.in_current_span());
        }
    }

    fn take(&self, messages: Vec<Message>) {
        self.begin(messages.into_iter().filter_map(|one| self.worker.take(one)).collect());
    }

    /// Finishes what is in work, within the grace.
    async fn drain(&self, rest: Vec<Message>) -> Result<(), Error> {
        self.worker.stops.draining.cancel();
        self.take(rest);
        self.tasks.close();
        tracing::info!(in_hand = self.worker.stats.taken.get(), "draining");
        let finished = tokio::time::timeout(self.drain_grace, self.tasks.wait()).await;
        if finished.is_err() {
            tracing::warn!(
                in_hand = self.worker.stats.taken.get(),
                "grace is over, giving messages back"
            );
            self.worker.stops.interrupt.cancel();
            let given_back = tokio::time::timeout(GIVING_BACK, self.tasks.wait()).await;
            if given_back.is_err() {
                // They come again after their ack wait.
                tracing::error!(in_hand = self.worker.stats.taken.get(), "left unanswered");
            }
        }
        self.connection.flush().await;
        Ok(())
    }

    /// Sets the consumer up, waiting out trouble that may pass. `None` when a
    /// shutdown came first.
    async fn open(&self, first: bool) -> Result<Option<Puller>, Error> {
        let mut wait = Duration::from_millis(100);
        let mut announced = false;
        let mut unanswered_since = None;
        loop {
            let attempt = async {
                consumer::ensure(&self.connection, self.spec).await?;
                Puller::open(&self.connection, self.spec).await
            };
            let error = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Ok(None),
                opened = attempt => match opened {
                    Ok(puller) => return Ok(Some(puller)),
                    Err(error) => error,
                },
            };
            // A declaration that the server refuses ends a process that starts; one
            // that has run before rather waits, for the work is still there.
            if first && !crate::failure::may_publish_again(&error) {
                return Err(error);
            }
            if !announced {
                tracing::warn!(error = error.chain(), "consumer cannot be set up yet");
                announced = true;
            }
            self.suspect(&error, &mut unanswered_since).await;
            tokio::select! {
                () = self.shutdown.cancelled() => return Ok(None),
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }

    /// Makes a connection anew over which nothing is answered any more.
    async fn suspect(&self, error: &Error, unanswered_since: &mut Option<Instant>) {
        if error.code() != Code::Unavailable || !self.connection.is_connected() {
            *unanswered_since = None;
            return;
        }
        if unanswered_since.get_or_insert_with(Instant::now).elapsed() >= UNANSWERED {
            tracing::warn!("the server leaves everything unanswered, connecting anew");
            *unanswered_since = None;
            if let Err(error) = self.connection.client().force_reconnect().await {
                tracing::warn!(%error, "cannot connect anew");
            }
        }
    }
}
