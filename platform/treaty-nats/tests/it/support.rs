//! What the tests share.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_trait::async_trait;
use futures::StreamExt as _;
use testbed::{NatsServer, RunDirectory, Tools};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_nats::{
    Ack, Connection, Delivery, Event, Handle, HandlerOptions, HandlerSpec, HandlerStats,
    NatsConfig, connect, dead_letter_subject, headers, run_handler_with,
};

/// Declares an event in a stream of its own, so that tests do not meet on the
/// server that they share.
macro_rules! job {
    ($name:ident, $stream:literal) => {
        job!($name, $stream, max_bytes: None, atomic_batches: false);
    };
    ($name:ident, $stream:literal, max_bytes: $max_bytes:expr) => {
        job!($name, $stream, max_bytes: $max_bytes, atomic_batches: false);
    };
    ($name:ident, $stream:literal, atomic_batches: $batches:expr) => {
        job!($name, $stream, max_bytes: None, atomic_batches: $batches);
    };
    ($name:ident, $stream:literal, max_bytes: $max_bytes:expr, atomic_batches: $batches:expr) => {
        #[derive(Clone, PartialEq, prost::Message)]
        struct $name {
            #[prost(string, tag = "1")]
            id: String,
        }

        #[allow(dead_code, reason = "not every test needs it")]
        impl $name {
            fn new(id: impl std::fmt::Display) -> Self {
                Self { id: id.to_string() }
            }
        }

        impl treaty_validate::Validate for $name {
            const HAS_RULES: bool = true;

            fn check(&self, report: &mut treaty_validate::Report) {
                const ID: treaty_validate::Field =
                    treaty_validate::Field::new(1, "id", treaty_validate::Kind::String);
                report.field(&ID, |report| {
                    treaty_validate::rules::string::not_contains(report, &self.id, "wrong");
                });
            }
        }

        impl treaty_nats::Event for $name {
            const FULL_NAME: &'static str = concat!("test.", $stream, ".Job");
            const STREAM: &'static treaty_nats::StreamSpec = &treaty_nats::StreamSpec {
                name: $stream,
                subjects: &[concat!($stream, ".*")],
                retention: treaty_nats::Retention::Limits,
                max_age: None,
                max_bytes: $max_bytes,
                duplicate_window: std::time::Duration::from_secs(120),
                atomic_batches: $batches,
            };
            const SUBJECTS: &'static str = concat!($stream, ".*");

            fn subject(&self) -> Result<String, treaty_error::Error> {
                Ok(format!("{}.{}", $stream, treaty_nats::token("id", &self.id)?))
            }

            fn message_id(&self) -> Option<String> {
                Some(self.id.clone())
            }
        }
    };
}
pub(crate) use job;

/// Longest wait for a condition. Generous, for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the condition holds.
pub(crate) async fn eventually<F, Fut>(what: &str, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let waited = tokio::time::timeout(PATIENCE, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain for {what}");
}

/// A connection to the shared server.
pub(crate) async fn shared() -> Connection {
    let url = tokio::task::spawn_blocking(|| testbed::shared_nats().url()).await.unwrap();
    connect(&NatsConfig::new(url)).await.unwrap()
}

/// A connection to the shared server without our crate between.
pub(crate) async fn raw() -> (async_nats::Client, jetstream::Context) {
    let url = tokio::task::spawn_blocking(|| testbed::shared_nats().url()).await.unwrap();
    #[allow(clippy::disallowed_methods, reason = "the server is known to be there")]
    let client = async_nats::connect(url).await.unwrap();
    (client.clone(), jetstream::new(client))
}

/// A server of the test's own, which may be hurt, in a directory that goes with the test.
pub(crate) async fn own_server(name: &'static str) -> (NatsServer, RunDirectory) {
    tokio::task::spawn_blocking(move || {
        let directory = RunDirectory::disposable(name).unwrap();
        let path = directory.path().join("nats");
        (NatsServer::start(&Tools::new().unwrap(), path).unwrap(), directory)
    })
    .await
    .unwrap()
}

/// The message ids that a stream holds, in its order.
pub(crate) async fn ids_in(context: &jetstream::Context, stream: &str) -> Vec<String> {
    let mut stream = context.get_stream(stream).await.unwrap();
    let messages = stream.info().await.unwrap().state.messages;
    let config = pull::Config { ack_policy: AckPolicy::None, ..pull::Config::default() };
    let consumer = stream.create_consumer(config).await.unwrap();
    let mut ids = Vec::new();
    while u64::try_from(ids.len()).unwrap() < messages {
        let mut batch = consumer.fetch().max_messages(1_000).messages().await.unwrap();
        while let Some(message) = batch.next().await {
            let message = message.unwrap();
            let headers = message.headers.as_ref().unwrap();
            ids.push(headers.get_last(headers::MESSAGE_ID).unwrap().as_str().to_owned());
        }
    }
    ids
}

/// Asserts that a stream holds each of these messages once and no other.
pub(crate) async fn assert_once_each(context: &jetstream::Context, stream: &str, jobs: u64) {
    let mut ids = ids_in(context, stream).await;
    ids.sort_unstable();
    let mut wanted: Vec<_> = (0..jobs).map(|number| number.to_string()).collect();
    wanted.sort_unstable();
    assert_eq!(ids.len(), wanted.len(), "messages in the stream");
    assert!(ids == wanted, "the stream holds other messages than were published");
}

/// A declaration with short waits.
pub(crate) fn spec<E: Event>(durable: &'static str) -> HandlerSpec {
    HandlerSpec {
        durable,
        stream: E::STREAM,
        event: E::FULL_NAME,
        filter: E::SUBJECTS,
        concurrency: 4,
        ack_wait: Duration::from_secs(30),
        max_deliver: 3,
        backoff: const { &[Duration::from_millis(20)] },
        ack: Ack::Confirmed,
        ordered_by: &[],
    }
}

/// A handler that is a function.
struct Function<F>(F);

#[async_trait]
impl<E, F, Fut> Handle<E> for Function<F>
where
    E: Event,
    F: Fn(Delivery, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Error>> + Send,
{
    async fn handle(&self, delivery: &Delivery, event: E) -> Result<(), Error> {
        (self.0)(delivery.clone(), event).await
    }
}

/// A handler that runs.
pub(crate) struct Running {
    pub(crate) stats: Arc<HandlerStats>,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Running {
    /// Shuts it down and waits until it has drained.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await.unwrap();
        ended.unwrap().unwrap();
    }

    /// Begins the shutdown and does not wait.
    pub(crate) fn begin_to_stop(&self) {
        self.shutdown.cancel();
    }

    /// Ends it as a killed process ends: nothing is answered.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Runs a function as a handler.
pub(crate) fn run<E, F, Fut>(connection: &Connection, spec: HandlerSpec, function: F) -> Running
where
    E: Event,
    F: Fn(Delivery, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Error>> + Send + 'static,
{
    run_with(connection, spec, HandlerOptions::default(), function)
}

/// As [`run`], with options.
pub(crate) fn run_with<E, F, Fut>(
    connection: &Connection,
    spec: HandlerSpec,
    options: HandlerOptions,
    function: F,
) -> Running
where
    E: Event,
    F: Fn(Delivery, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Error>> + Send + 'static,
{
    // Declarations are constants in generated code.
    let spec: &'static HandlerSpec = Box::leak(Box::new(spec));
    let shutdown = CancellationToken::new();
    let stats = Arc::new(HandlerStats::default());
    let task = tokio::spawn(run_handler_with::<E, _>(
        connection.clone(),
        spec,
        Arc::new(Function(function)),
        shutdown.clone(),
        Arc::clone(&stats),
        options,
    ));
    Running { stats, shutdown, task }
}

/// The dead letters of one durable consumer, oldest first.
pub(crate) async fn dead_letters(
    context: &jetstream::Context,
    spec: &HandlerSpec,
) -> Vec<jetstream::message::StreamMessage> {
    let Ok(stream) = context.get_stream("dead-letters").await else { return Vec::new() };
    let subject = dead_letter_subject(spec.stream.name, spec.durable);
    let mut letters = Vec::new();
    let mut from = 1;
    while let Ok(letter) = stream.get_first_raw_message_by_subject(subject.as_str(), from).await {
        from = letter.sequence + 1;
        letters.push(letter);
    }
    letters
}

/// A header of a stored message.
pub(crate) fn header<'a>(
    message: &'a jetstream::message::StreamMessage,
    name: &str,
) -> Option<&'a str> {
    message.headers.get_last(name).map(async_nats::HeaderValue::as_str)
}
