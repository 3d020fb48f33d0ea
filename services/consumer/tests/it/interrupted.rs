//! A process that is killed or frozen in the middle of a sync: it goes on where it was, ends once,
//! and whoever wakes too late does no harm.
//!
//! The processes are this test's own binary, with the handler of the service and an ack wait of two
//! seconds in place of the contract's thirty.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use consumer::config::{StravaConfig, SyncConfig};
use consumer::handlers::SyncAthletes;
use consumer::strava::{Quota, StravaClient};
use consumer_port::sync_v1::{SyncAthlete, SyncOutcome};
use consumer_port::{Clients, SYNC_ATHLETE_HANDLER, SyncAthleteHandler as _};
use testbed::{Launch, Leashed, RunDirectory, Signal};
use tokio_util::sync::CancellationToken;
use treaty_error::Result;
use treaty_nats::{Connection, Delivery, Handle, HandlerSpec, NatsConfig, Publish as _, Publisher};
use url::Url;

use crate::api::{Api, End, Moment, peers};
use crate::jobs::{Nats, job, name};
use crate::simulator::{Strava, config, digest};
use crate::wait::until;

static SPEC: HandlerSpec = HandlerSpec { ack_wait: Duration::from_secs(2), ..SYNC_ATHLETE_HANDLER };

/// Activities, and so many on a page: a walk takes twelve calls.
const ACTIVITIES: u64 = 95;
const PAGE_SIZE: u32 = 10;
const CALLS: u64 = 12;

struct Athletes(SyncAthletes);

#[async_trait]
impl Handle<SyncAthlete> for Athletes {
    async fn handle(&self, delivery: &Delivery, job: SyncAthlete) -> Result<()> {
        self.0.sync_athlete(delivery, job).await
    }
}

/// Not a test of anything: the process that the tests below start. Does nothing when it is run as
/// one of the tests.
#[tokio::test]
async fn child() {
    let addresses = ["NATS", "API", "STRAVA"].map(|name| std::env::var(format!("CHILD_{name}")));
    let [Ok(nats), Ok(api), Ok(strava)] = addresses else { return };
    treaty_service::crypto::install();
    let strava = StravaConfig {
        api_base_url: Url::parse(&strava).unwrap(),
        page_size: PAGE_SIZE,
        ..StravaConfig::default()
    };
    let clients = Clients::connect(&peers(&api)).unwrap();
    let quota = Quota::new(Arc::clone(&clients.quota), CancellationToken::new());
    let pages = Arc::new(StravaClient::new(&strava, Arc::new(quota)).unwrap());
    let handler = Athletes(SyncAthletes::new(pages, &clients, &strava, &SyncConfig::default()));
    let connection = treaty_nats::connect(&NatsConfig::new(nats)).await.unwrap();
    let never = CancellationToken::new();
    let handler = Arc::new(handler);
    treaty_nats::run_handler::<SyncAthlete, _>(connection, &SPEC, handler, never, Arc::default())
        .await
        .unwrap();
}

struct World {
    strava: Strava,
    api: Api,
    nats: Nats,
    connection: Connection,
    directory: RunDirectory,
    /// Calls of Strava's when the job was published.
    calls: u64,
}

impl World {
    /// One athlete, whose job is in the stream.
    async fn new() -> Self {
        let config = strava::SimulatorConfig { activities_per_athlete: ACTIVITIES, ..config() };
        let strava = Strava::start(config).await;
        let token = strava.consent(0, "activity:read_all").await;
        let api = Api::start([(name(0), token)].into()).await;
        let nats = Nats::start().await;
        let connection = nats.connect().await;
        connection.ensure_streams(consumer_port::STREAMS).await.unwrap();
        Publisher::new(&connection).publish(&job(0)).await.unwrap();
        let calls = strava.requests().await;
        let directory = RunDirectory::disposable("consumer-interrupted").unwrap();
        Self { strava, api, nats, connection, directory, calls }
    }

    async fn launch(&self, process: &str) -> Leashed {
        let launch = Launch::new("consumer", std::env::current_exe().unwrap())
            .args(["interrupted::child", "--exact", "--nocapture"])
            .env("CHILD_NATS", self.nats.server.url())
            .env("CHILD_API", self.api.address())
            .env("CHILD_STRAVA", self.strava.simulator.url());
        let log = self.directory.path().join(format!("{process}.log"));
        tokio::task::spawn_blocking(move || launch.start(log).unwrap()).await.unwrap()
    }

    async fn idle(&self) -> bool {
        self.connection.consumer_info(&SPEC).await.is_ok_and(|info| info.is_idle())
    }

    /// The sync has ended once, with every activity there once.
    async fn judge(&self) {
        let end = End {
            athlete_id: name(0),
            request_id: "r1".to_owned(),
            outcome: SyncOutcome::Succeeded,
            activities: 95,
            inserted: 95,
        };
        assert_eq!(self.api.ended(), [end]);
        let kept = self.api.kept(&name(0));
        assert_eq!((kept.len(), digest(&kept)), (95, self.strava.digests().await[0].clone()));
        let dead = self.connection.stream_info(&treaty_nats::DEAD_LETTERS).await.unwrap();
        assert_eq!(dead.messages, 0);
    }

    async fn calls(&self) -> u64 {
        self.strava.requests().await - self.calls
    }
}

async fn kill(mut process: Leashed) {
    let kill = move || {
        process.signal(Signal::Kill).unwrap();
        process.wait_ended(Duration::from_secs(10)).unwrap();
    };
    tokio::task::spawn_blocking(kill).await.unwrap();
}

async fn stop(process: Leashed) {
    tokio::task::spawn_blocking(move || process.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_a_backfill_it_goes_on_at_the_page() {
    let world = World::new().await;
    let held = world.api.hold(Moment::AfterBatch(5));
    let first = world.launch("first").await;
    until("the fifth page to be written", async || held.has_come()).await;
    kill(first).await;
    held.release();
    let second = world.launch("second").await;
    until("the sync to end", async || world.api.ended().len() == 1).await;
    until("the job to be done", async || world.idle().await).await;
    world.judge().await;
    assert_eq!((world.calls().await, world.api.begun()), (CALLS, 2), "no page was read twice");
    stop(second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_the_last_commit_and_the_acknowledgement_it_ends_once() {
    let world = World::new().await;
    let held = world.api.hold(Moment::AfterEnd);
    let first = world.launch("first").await;
    until("the end to be recorded", async || held.has_come()).await;
    kill(first).await;
    held.release();
    assert!(!world.idle().await, "the job is not acknowledged");
    let second = world.launch("second").await;
    until("the job to be done", async || world.idle().await).await;
    world.judge().await;
    assert_eq!((world.calls().await, world.api.begun()), (CALLS, 1), "nothing was done again");
    stop(second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_past_the_ack_wait_and_woken_it_does_no_harm() {
    let world = World::new().await;
    // The zombie's third page is on its way when it freezes.
    let stale = world.api.hold(Moment::BeforeBatch(3));
    let zombie = world.launch("zombie").await;
    until("the third page to come", async || stale.has_come()).await;
    zombie.signal(Signal::Stop).unwrap();
    // Its heir is in the middle of the work when the zombie wakes.
    let working = world.api.hold(Moment::BeforeBatch(7));
    let heir = world.launch("heir").await;
    until("the heir to be at work", async || working.has_come()).await;
    assert_eq!(world.api.begun(), 2);
    zombie.signal(Signal::Cont).unwrap();
    stale.release();
    until("the stale page to be refused", async || world.api.refused() == 1).await;
    working.release();
    until("the sync to end", async || world.api.ended().len() == 1).await;
    until("the job to be done", async || world.idle().await).await;
    world.judge().await;
    // Neither what the zombie gave back nor what was delivered to it while it was frozen has
    // disturbed its heir.
    assert_eq!((world.api.begun(), world.api.refused()), (2, 1));
    stop(zombie).await;
    stop(heir).await;
}
