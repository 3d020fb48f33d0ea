//! Trouble while many are published: servers killed, frozen and full, callers that go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream;
use async_trait::async_trait;
use testbed::{NatsServer, Signal};
use treaty_error::{Code, Error};
use treaty_nats::{
    Connection, Event, Feeder, NatsConfig, Publish as _, PublishOptions, PublishReport, connect,
};

use crate::support::{assert_once_each, eventually, job, own_server, raw, shared};

/// Jobs of a page.
const PAGE: u64 = 100;

/// Jobs 0, 1, 2 … until the end, which may be moved while it is fed.
struct Jobs<E> {
    make: fn(u64) -> E,
    fed: Arc<AtomicU64>,
    end: Arc<AtomicU64>,
}

impl<E> Jobs<E> {
    fn new(make: fn(u64) -> E, end: u64) -> Self {
        Self { make, fed: Arc::default(), end: Arc::new(AtomicU64::new(end)) }
    }
}

#[async_trait]
impl<E: Event> Feeder<E> for Jobs<E> {
    async fn next_page(&mut self) -> Result<Vec<E>, Error> {
        let first = self.fed.load(Ordering::SeqCst);
        let next = (first + PAGE).min(self.end.load(Ordering::SeqCst));
        self.fed.store(next.max(first), Ordering::SeqCst);
        Ok((first..next).map(self.make).collect())
    }
}

/// Our way to a server, and one without our crate between.
async fn reach(server: &NatsServer) -> (Connection, jetstream::Context) {
    let connection = connect(&NatsConfig::new(server.url())).await.unwrap();
    #[allow(clippy::disallowed_methods, reason = "the server is known to be there")]
    let client = async_nats::connect(server.url()).await.unwrap();
    (connection, jetstream::new(client))
}

async fn signal(mut server: NatsServer, signal: Signal) -> NatsServer {
    tokio::task::spawn_blocking(move || {
        server.process().signal(signal).unwrap();
        server
    })
    .await
    .unwrap()
}

async fn stop(server: NatsServer) {
    tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
}

/// Small windows, so that the feed lasts and many windows meet the fault.
fn few_at_a_time() -> PublishOptions {
    PublishOptions { publishers: 4, window: 50, ..PublishOptions::default() }
}

fn settled(report: &PublishReport) -> (u64, u64) {
    (report.published + report.duplicates, report.failed)
}

/// Kills the server again and again while a feed is published to it.
async fn publish_over_crashes<E: Event>(name: &'static str, make: fn(u64) -> E) {
    const CRASHES: u64 = 3;
    let (mut server, _directory) = own_server(name).await;
    let (connection, context) = reach(&server).await;
    connection.ensure_streams(&[E::STREAM]).await.unwrap();
    let publisher = connection.publisher::<E>();
    let mut feeder = Jobs::new(make, u64::MAX);
    let (fed, end) = (Arc::clone(&feeder.fed), Arc::clone(&feeder.end));
    let publishing =
        tokio::spawn(async move { publisher.publish_all(&mut feeder, few_at_a_time()).await });
    for _ in 0..CRASHES {
        let before = fed.load(Ordering::SeqCst);
        eventually("pages", || async { fed.load(Ordering::SeqCst) > before + 2_000 }).await;
        server = tokio::task::spawn_blocking(move || {
            server.crash_and_restart().unwrap();
            server
        })
        .await
        .unwrap();
    }
    end.store(fed.load(Ordering::SeqCst) + 2_000, Ordering::SeqCst);
    let report = publishing.await.unwrap().unwrap();
    let jobs = fed.load(Ordering::SeqCst);
    assert_eq!(settled(&report), (jobs, 0), "{report:?}");
    assert_once_each(&context, E::STREAM.name, jobs).await;
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_again_and_again_loses_nothing_and_stores_nothing_twice() {
    job!(Job, "bulk_crash");
    publish_over_crashes("treaty-nats-bulk-crash", Job::new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_one_that_is_killed_within_batches() {
    job!(Job, "batch_crash", atomic_batches: true);
    publish_over_crashes("treaty-nats-batch-crash", Job::new).await;
}

/// Freezes the server for longer than an answer may take, so that all that was sent is sent
/// again while the first answers are still to come.
async fn publish_over_a_freeze<E: Event>(name: &'static str, make: fn(u64) -> E) {
    const JOBS: u64 = 20_000;
    let (mut server, _directory) = own_server(name).await;
    let (connection, context) = reach(&server).await;
    connection.ensure_streams(&[E::STREAM]).await.unwrap();
    let publisher = connection.publisher::<E>();
    let mut feeder = Jobs::new(make, JOBS);
    let fed = Arc::clone(&feeder.fed);
    let publishing =
        tokio::spawn(async move { publisher.publish_all(&mut feeder, few_at_a_time()).await });
    eventually("pages", || async { fed.load(Ordering::SeqCst) > 1_000 }).await;
    server = signal(server, Signal::Stop).await;
    // Not a wait for something to happen: the freeze itself must outlast the time for answers.
    tokio::time::sleep(Duration::from_millis(6_500)).await;
    assert!(!publishing.is_finished());
    server = signal(server, Signal::Cont).await;
    let report = publishing.await.unwrap().unwrap();
    assert_eq!(settled(&report), (JOBS, 0), "{report:?}");
    assert_once_each(&context, E::STREAM.name, JOBS).await;
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_frozen_for_seconds_is_waited_for() {
    job!(Job, "bulk_freeze");
    publish_over_a_freeze("treaty-nats-bulk-freeze", Job::new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_frozen_within_batches_is_waited_for() {
    job!(Job, "batch_freeze", atomic_batches: true);
    publish_over_a_freeze("treaty-nats-batch-freeze", Job::new).await;
}

/// Publishes more than a stream has room for.
async fn publish_to_a_full_stream<E: Event>(make: fn(u64) -> E) {
    const JOBS: u64 = 2_000;
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[E::STREAM]).await.unwrap();
    let publisher = connection.publisher::<E>().giving_up_after(Duration::from_millis(500));
    let options = PublishOptions { max_failures: JOBS, ..PublishOptions::default() };
    let report = publisher.publish_all(&mut Jobs::new(make, JOBS), options).await.unwrap();
    assert_eq!(report.published + report.failed, JOBS, "{report:?}");
    assert!(report.published > 0 && report.failed > 0, "{report:?}");
    assert_eq!(report.failures[0].code, Code::ResourceExhausted, "{report:?}");
    // What is confirmed is stored, and what is refused is not.
    let info = connection.stream_info(E::STREAM).await.unwrap();
    assert_eq!(info.messages, report.published);

    // An operator makes room while the rest is tried again.
    let waiting = connection.publisher::<E>();
    let publishing = tokio::spawn(async move {
        waiting.publish_all(&mut Jobs::new(make, JOBS), PublishOptions::default()).await
    });
    let stream = context.get_stream(E::STREAM.name).await.unwrap();
    let roomy = jetstream::stream::Config { max_bytes: -1, ..stream.cached_info().config.clone() };
    context.update_stream(roomy).await.unwrap();
    let rest = publishing.await.unwrap().unwrap();
    assert_eq!(rest.failed, 0, "{rest:?}");
    assert_once_each(&context, E::STREAM.name, JOBS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_stream_refuses_and_confirms_nothing_falsely() {
    job!(Job, "bulk_full", max_bytes: Some(100_000));
    publish_to_a_full_stream(Job::new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_stream_refuses_batches_whole_and_takes_what_fits() {
    job!(Job, "batch_full", max_bytes: Some(100_000), atomic_batches: true);
    publish_to_a_full_stream(Job::new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_made_later_gets_everything() {
    job!(Job, "bulk_early", atomic_batches: true);
    let connection = shared().await;
    let (_, context) = raw().await;
    let publisher = connection.publisher::<Job>();
    let mut feeder = Jobs::new(Job::new, 1_000);
    let fed = Arc::clone(&feeder.fed);
    let publishing =
        tokio::spawn(async move { publisher.publish_all(&mut feeder, few_at_a_time()).await });
    eventually("pages", || async { fed.load(Ordering::SeqCst) > 200 }).await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let report = publishing.await.unwrap().unwrap();
    assert_eq!((report.published, report.failed), (1_000, 0), "{report:?}");
    assert_once_each(&context, "bulk_early", 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_loses_too_much_ends_at_once() {
    job!(Job, "bulk_given_up");
    let connection = shared().await;
    // Nobody makes the stream. The feed alone would take for ever.
    let publisher = connection.publisher::<Job>().giving_up_after(Duration::from_millis(200));
    let options = PublishOptions { max_failures: 10, ..few_at_a_time() };
    let mut feeder = Jobs::new(Job::new, u64::MAX);
    let error = publisher.publish_all(&mut feeder, options).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{}", error.chain());
    assert!(error.message().contains("no stream stores this subject"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_nothing_behind() {
    job!(Job, "bulk_dropped", atomic_batches: true);
    let (server, _directory) = own_server("treaty-nats-bulk-dropped").await;
    let (connection, _) = reach(&server).await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let server = Arc::new(server);
    let subscriptions = || {
        let server = Arc::clone(&server);
        async move {
            let told = tokio::task::spawn_blocking(move || server.monitoring("/subsz").unwrap());
            let told: serde_json::Value = serde_json::from_str(&told.await.unwrap()).unwrap();
            told["num_subscriptions"].as_u64().unwrap()
        }
    };
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for atomic_batches in [false, true] {
        let (tasks_before, subscriptions_before) = (tasks(), subscriptions().await);
        let mut feeder = Jobs::new(Job::new, u64::MAX);
        let fed = Arc::clone(&feeder.fed);
        let publisher = connection.publisher::<Job>();
        let options = PublishOptions { atomic_batches, ..few_at_a_time() };
        tokio::select! {
            report = publisher.publish_all(&mut feeder, options) => panic!("{report:?}"),
            () = eventually("pages", || async { fed.load(Ordering::SeqCst) > 2_000 }) => {}
        }
        eventually("the tasks' end", || async { tasks() <= tasks_before }).await;
        eventually("the subscriptions' end", || async {
            subscriptions().await <= subscriptions_before
        })
        .await;
    }
    stop(Arc::into_inner(server).unwrap()).await;
}
