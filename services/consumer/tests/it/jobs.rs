//! Jobs on a real nats-server, from the stream to the api.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use consumer::app::App;
use consumer::config::{Config, SyncConfig};
use consumer_port::SYNC_ATHLETE_HANDLER;
use consumer_port::sync_v1::{SyncAthlete, SyncOutcome};
use secrecy::SecretString;
use serde_json::json;
use strava::SimulatorConfig;
use testbed::{NatsServer, RunDirectory, Tools};
use tokio::net::TcpListener;
use treaty_error::Result;
use treaty_nats::{
    Connection, DEAD_LETTERS, Delivery, Event, Handle, HandlerSpec, HandlerStats, HandlersConfig,
    NatsConfig, Outgoing, Publish as _, PublishOutgoing as _, Publisher, StatsSnapshot,
};
use treaty_service::{LogConfig, Shutdown};

use crate::api::{Api, End};
use crate::simulator::{Strava, config, digest};
use crate::wait::until;

/// A server of the test's own: the names of stream and consumers come from the contracts.
pub(crate) struct Nats {
    pub(crate) server: NatsServer,
    _directory: RunDirectory,
}

impl Nats {
    pub(crate) async fn start() -> Self {
        let start = || {
            let directory = RunDirectory::disposable("consumer-test").unwrap();
            let tools = Tools::new().unwrap();
            let server = NatsServer::start(&tools, directory.path().join("nats")).unwrap();
            Self { server, _directory: directory }
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    pub(crate) async fn connect(&self) -> Connection {
        treaty_nats::connect(&NatsConfig::new(self.server.url())).await.unwrap()
    }
}

/// Everything around the consumers.
pub(crate) struct World {
    pub(crate) strava: Strava,
    pub(crate) api: Api,
    nats: Nats,
    connection: Connection,
    shutdown: Shutdown,
}

impl World {
    /// This many athletes have consented.
    pub(crate) async fn new(athletes: u64) -> Self {
        let (strava, tokens) = consented(athletes).await;
        Self::with(strava, Api::start(tokens).await).await
    }

    async fn with(strava: Strava, api: Api) -> Self {
        let nats = Nats::start().await;
        let connection = nats.connect().await;
        connection.ensure_streams(consumer_port::STREAMS).await.unwrap();
        Self { strava, api, nats, connection, shutdown: Shutdown::new() }
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            nats: NatsConfig::new(self.nats.server.url()),
            handlers: HandlersConfig::default(),
            peers: self.api.peers(),
            strava: self.strava.client_config(10),
            sync: SyncConfig::default(),
            health: treaty_service::HealthConfig::default(),
            metrics: treaty_service::MetricsConfig::default(),
            traces: treaty_service::TracesConfig::default(),
            log: LogConfig::default(),
            shutdown_grace_seconds: 25,
        }
    }

    /// Starts a consumer as the process does.
    async fn consumer(&self) -> Arc<HandlerStats> {
        self.consumer_with(self.config()).await
    }

    /// As [`consumer`](Self::consumer), configured otherwise.
    pub(crate) async fn consumer_with(&self, config: Config) -> Arc<HandlerStats> {
        let health = TcpListener::bind("127.0.0.1:0").await.unwrap();
        App::start(config, health, &self.shutdown).await.unwrap().stats()
    }

    /// Starts a recorder with a durable consumer of its own.
    fn record<E: Event + Send + Sync>(&self, spec: &'static HandlerSpec) -> Recorder<E> {
        let recorder = Recorder(Arc::default());
        let handler = Arc::new(recorder.clone());
        let (connection, token) = (self.connection.clone(), self.shutdown.token());
        self.shutdown.spawn(spec.durable, async move {
            treaty_nats::run_handler::<E, _>(connection, spec, handler, token, Arc::default()).await
        });
        recorder
    }

    async fn ask_for(&self, athlete: u64) {
        self.ask_again_for(athlete, "r1").await;
    }

    /// A job of its own for each request.
    pub(crate) async fn ask_again_for(&self, athlete: u64, request_id: &str) {
        let publisher = Publisher::new(&self.connection);
        let job = SyncAthlete { request_id: request_id.to_owned(), ..job(athlete) };
        publisher.publish(&job).await.unwrap();
    }

    pub(crate) async fn idle(&self, spec: &HandlerSpec) -> bool {
        self.connection.consumer_info(spec).await.is_ok_and(|info| info.is_idle())
    }

    /// Ends all tasks, which must end well.
    pub(crate) async fn end(self) {
        self.shutdown.trigger();
        self.shutdown.wait(Duration::from_secs(25)).await.unwrap();
    }
}

/// A Strava with this many athletes who have consented, and their tokens.
pub(crate) async fn consented(athletes: u64) -> (Strava, BTreeMap<String, SecretString>) {
    let strava = Strava::start(SimulatorConfig { athletes, ..config() }).await;
    let mut tokens = BTreeMap::new();
    for athlete in 0..athletes {
        tokens.insert(name(athlete), strava.consent(athlete, "activity:read_all").await);
    }
    (strava, tokens)
}

pub(crate) fn name(athlete: u64) -> String {
    format!("00000000-0000-4000-8000-{athlete:012}")
}

pub(crate) fn job(athlete: u64) -> SyncAthlete {
    SyncAthlete { athlete_id: name(athlete), request_id: "r1".to_owned(), ..SyncAthlete::default() }
}

/// Keeps what it is given.
#[derive(Clone)]
struct Recorder<E>(Arc<Mutex<Vec<E>>>);

impl<E: Clone> Recorder<E> {
    fn all(&self) -> Vec<E> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl<E: Event + Send + Sync> Handle<E> for Recorder<E> {
    async fn handle(&self, _: &Delivery, event: E) -> Result<()> {
        self.0.lock().unwrap().push(event);
        Ok(())
    }
}

/// Another service that handles the same job.
static AUDITOR: HandlerSpec =
    HandlerSpec { durable: "auditor-stravasync-sync-v1-SyncAthlete", ..SYNC_ATHLETE_HANDLER };

#[tokio::test]
async fn two_consumers_share_the_work_and_another_service_gets_its_own_copy() {
    let athletes = 20;
    let (strava, tokens) = consented(athletes).await;
    let world = World::with(strava, Api::start_closed(tokens).await).await;
    let (one, two) = (world.consumer().await, world.consumer().await);
    let audited = world.record::<SyncAthlete>(&AUDITOR);
    for athlete in 0..athletes {
        world.ask_for(athlete).await;
    }
    // More jobs in work than one process takes at a time: both have some.
    until("both to be at work", async || world.api.waiting() > SYNC_ATHLETE_HANDLER.concurrency)
        .await;
    world.api.open();
    until("all syncs to end", async || world.api.ended().len() == 20).await;
    until("all jobs to be done", async || world.idle(&SYNC_ATHLETE_HANDLER).await).await;
    until("the other service to be done", async || audited.all().len() == 20).await;

    let digests = world.strava.digests().await;
    for athlete in 0..athletes {
        let kept = world.api.kept(&name(athlete));
        assert_eq!(kept.len(), 25, "athlete {athlete}");
        assert_eq!(digest(&kept), digests[usize::try_from(athlete).unwrap()]);
    }
    let well =
        |end: &End| (end.outcome, end.activities, end.inserted) == (SyncOutcome::Succeeded, 25, 25);
    assert!(world.api.ended().iter().all(well), "{:?}", world.api.ended());
    let acked = || (one.snapshot().acked, two.snapshot().acked);
    until("the consumers to know", async || acked().0 + acked().1 == 20).await;
    assert!(acked().0 > 0 && acked().1 > 0, "{:?}", acked());
    world.end().await;
}

#[tokio::test]
async fn an_undecodable_job_is_set_aside_and_the_next_one_is_done() {
    let world = World::new(1).await;
    let stats = world.consumer().await;
    let garbage = Outgoing {
        subject: format!("athlete.sync.{}", name(0)),
        message_id: Some("garbage".to_owned()),
        event: SyncAthlete::FULL_NAME.to_owned(),
        payload: b"\xff\xff\xff".as_slice().into(),
        traceparent: None,
    };
    let publisher = Publisher::<SyncAthlete>::new(&world.connection);
    publisher.publish_outgoing(&garbage).await.unwrap();
    world.ask_for(0).await;
    let done = |now: StatsSnapshot| (now.acked, now.dead_lettered) == (1, 1);
    until("both to be answered", async || done(stats.snapshot())).await;
    assert_eq!(world.api.kept(&name(0)).len(), 25);
    assert_eq!(world.connection.stream_info(&DEAD_LETTERS).await.unwrap().messages, 1);
    world.end().await;
}

#[tokio::test]
async fn trouble_at_strava_delays_a_job_and_loses_nothing() {
    let world = World::new(2).await;
    // More often than a page is asked for again at once, when both jobs come the first time.
    world.strava.faults(json!({ "drop_rate": 1.0, "times": 6 })).await;
    let stats = world.consumer().await;
    world.ask_for(0).await;
    world.ask_for(1).await;
    until("both syncs to end", async || world.api.ended().len() == 2).await;
    until("both jobs to be done", async || stats.snapshot().acked == 2).await;
    assert!(stats.snapshot().retried > 0, "{:?}", stats.snapshot());
    for athlete in 0..2 {
        let digests = world.strava.digests().await;
        let kept = world.api.kept(&name(athlete));
        assert_eq!(digest(&kept), digests[usize::try_from(athlete).unwrap()]);
    }
    world.end().await;
}

#[tokio::test]
async fn an_athlete_who_has_not_consented_ends_the_job_and_says_so() {
    let world = World::new(1).await;
    let stats = world.consumer().await;
    world.ask_for(7).await;
    until("the sync to end", async || world.api.ended().len() == 1).await;
    until("the job to be done", async || stats.snapshot().acked == 1).await;
    assert_eq!(world.api.ended()[0].outcome, SyncOutcome::NeedsConsent);
    assert_eq!(world.api.ended()[0].athlete_id, name(7));
    assert_eq!(stats.snapshot().dead_lettered, 0);
    world.end().await;
}
