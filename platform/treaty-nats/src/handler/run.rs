//! The loop of one durable consumer.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Message;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::ConsumerErrorKind;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use treaty_error::{Code, Error};

use super::pull::{Pulled, Puller};
use super::work::Worker;
use super::{Handle, HandlerStats};
use crate::failure::{api, unavailable};
use crate::{Connection, Event, HandlerSpec, streams};

/// Messages of one consumer that may be unanswered at a time, those included that
/// wait for a retry. The server's default of 1,000 would let that many slow
/// retries hold up everything behind them.
const MAX_ACK_PENDING: i64 = 10_000;

/// Settings of the process, not of the contract.
#[derive(Clone, Copy, Debug)]
pub struct HandlerOptions {
    /// How long a shutdown waits for handlers at work. Those that are not done
    /// by then are stopped and their messages given back at once.
    pub drain_grace: Duration,
}

impl Default for HandlerOptions {
    fn default() -> Self {
        Self { drain_grace: Duration::from_secs(20) }
    }
}

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
    let interrupt = CancellationToken::new();
    let worker = Worker::new(connection.clone(), spec, handler, stats, interrupt.clone());
    let span = tracing::info_span!("handler", durable = spec.durable);
    Run { connection, spec, worker: Arc::new(worker), shutdown, interrupt, options }
        .run()
        .instrument(span)
        .await
}

struct Run<E, H: ?Sized> {
    connection: Connection,
    spec: &'static HandlerSpec,
    worker: Arc<Worker<E, H>>,
    shutdown: CancellationToken,
    interrupt: CancellationToken,
    options: HandlerOptions,
}

impl<E, H> Run<E, H>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    async fn run(self) -> Result<(), Error> {
        let mut connections = self.connection.connections();
        let mut tasks = JoinSet::new();
        let Some(mut puller) = self.open(true).await? else { return Ok(()) };
        tracing::info!(concurrency = self.spec.concurrency, "handling {}", self.spec.event);
        loop {
            connections.mark_unchanged();
            let reason = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                reason = self.pull(&mut puller, &mut tasks) => reason,
                Ok(()) = connections.changed() => "the connection was made anew".to_owned(),
            };
            tracing::warn!(reason, "setting the consumer up again");
            self.worker.stats().rebuilt.add_one();
            // What the old subscription still holds has slots; nothing else would
            // answer it before its ack wait is over.
            for message in puller.finish().await {
                self.take(&mut tasks, message);
            }
            match self.open(false).await? {
                Some(next) => puller = next,
                None => return self.drain(Vec::new(), tasks).await,
            }
        }
        let rest = puller.finish().await;
        self.drain(rest, tasks).await
    }

    /// Keeps the slots busy until the consumer is lost; returns why.
    async fn pull(&self, puller: &mut Puller, tasks: &mut JoinSet<()>) -> String {
        loop {
            while tasks.try_join_next().is_some() {}
            if let Err(error) = puller.ask(tasks.len()).await {
                return error.chain();
            }
            tokio::select! {
                pulled = puller.next() => match pulled {
                    Pulled::Message(message) => self.take(tasks, message),
                    Pulled::Lost(reason) => return reason,
                },
                Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            }
        }
    }

    fn take(&self, tasks: &mut JoinSet<()>, message: Message) {
        let worker = Arc::clone(&self.worker);
        tasks.spawn(async move { worker.work(message).await }.in_current_span());
    }

    /// Finishes what is in work, within the grace.
    async fn drain(&self, rest: Vec<Message>, mut tasks: JoinSet<()>) -> Result<(), Error> {
        for message in rest {
            self.take(&mut tasks, message);
        }
        tracing::info!(in_work = tasks.len(), "draining");
        let finished = tokio::time::timeout(self.options.drain_grace, join_all(&mut tasks)).await;
        if finished.is_err() {
            tracing::warn!(in_work = tasks.len(), "grace is over, giving messages back");
            self.interrupt.cancel();
            join_all(&mut tasks).await;
        }
        self.connection.flush().await;
        Ok(())
    }

    /// Sets the consumer up, waiting out trouble that may pass. `None` when a
    /// shutdown came first.
    async fn open(&self, first: bool) -> Result<Option<Puller>, Error> {
        let mut wait = Duration::from_millis(100);
        let mut announced = false;
        loop {
            let attempt = async {
                ensure_consumer(&self.connection, self.spec).await?;
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
            tokio::select! {
                () = self.shutdown.cancelled() => return Ok(None),
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }
}

async fn join_all(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Creates the consumer or brings it to what is declared, and the streams that it
/// needs when they are not there yet.
async fn ensure_consumer(connection: &Connection, spec: &HandlerSpec) -> Result<(), Error> {
    connection.ensure_streams(&[&streams::DEAD_LETTERS]).await?;
    match create_consumer(connection, spec).await {
        Err(error) if error.code() == Code::NotFound => {}
        outcome => return outcome,
    }
    connection.ensure_streams(&[spec.stream]).await?;
    create_consumer(connection, spec).await
}

async fn create_consumer(connection: &Connection, spec: &HandlerSpec) -> Result<(), Error> {
    let config = pull::Config {
        durable_name: Some(spec.durable.to_owned()),
        description: Some(format!("Handles {}.", spec.event)),
        ack_policy: AckPolicy::Explicit,
        ack_wait: spec.ack_wait,
        // The runtime counts attempts itself and sets a message aside when they
        // are spent. If the server counted, a message whose handler took the whole
        // process down would vanish from this consumer without a dead letter.
        max_deliver: -1,
        filter_subject: spec.filter.to_owned(),
        max_ack_pending: MAX_ACK_PENDING,
        ..pull::Config::default()
    };
    let created = connection.jetstream().create_consumer_on_stream(config, spec.stream.name).await;
    let Err(error) = created else { return Ok(()) };
    let what = format!("consumer {}", spec.durable);
    match error.kind() {
        ConsumerErrorKind::JetStream(inner)
            if inner.error_code() == ErrorCode::STREAM_NOT_FOUND =>
        {
            let message = format!("{what}: stream {} does not exist", spec.stream.name);
            Err(Error::new(Code::NotFound, message).with_source(inner))
        }
        ConsumerErrorKind::JetStream(inner) => Err(api(&what, inner)),
        _ => Err(unavailable(format!("{what} could not be set up"), error)),
    }
}
