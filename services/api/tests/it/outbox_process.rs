//! The api's process, killed: what it accepted is in the stream within ten seconds of its restart.

use std::time::{Duration, Instant};

use api_port::sync_v1::SyncAthlete;
use futures::StreamExt as _;
use serde_json::{Value, json};
use sqlx::PgPool;
use strava::{RateLimits, Simulator, SimulatorConfig};
use testbed::{Launch, Leashed, RunDirectory, Signal, free_port, http};
use treaty_nats::Event as _;

use crate::stream::{Broker, Witness};
use crate::support::{connect, eventually, fresh_url};

const BINARY: &str = env!("CARGO_BIN_EXE_api");

/// The bar: from the start of the process to the last message in the stream.
const WITHIN: Duration = Duration::from_secs(10);

/// Everything around the process.
struct World {
    directory: RunDirectory,
    port: u16,
    database: String,
    pool: PgPool,
    broker: Broker,
    strava: Simulator,
    browser: reqwest::Client,
}

impl World {
    async fn new(athletes: u64) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = fresh_url().await;
        let limits = RateLimits::UNLIMITED;
        let config = SimulatorConfig { athletes, limits, ..SimulatorConfig::default() };
        Self {
            directory: RunDirectory::disposable("api-process").unwrap(),
            port: free_port().unwrap(),
            pool: connect(&database).await,
            database,
            broker: Broker::start().await,
            strava: Simulator::start(config).await.unwrap(),
            browser: reqwest::Client::new(),
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts the process and waits until it answers.
    async fn launch(&self) -> Leashed {
        let launch = Launch::new("api", BINARY)
            .env("API__HTTP__LISTEN", format!("127.0.0.1:{}", self.port))
            .env("API__GRPC__LISTEN", "127.0.0.1:0")
            .env("API__DATABASE__URL", &self.database)
            .env("API__MIGRATE_ON_START", "true")
            .env("API__NATS__URL", self.broker.url())
            .env("API__STRAVA__OAUTH_BASE_URL", self.strava.url())
            .env("API__STRAVA__CLIENT_ID", "12345")
            .env("API__STRAVA__CLIENT_SECRET", "simulated-client-secret")
            .env("API__STRAVA__REDIRECT_URL", format!("{}/v1/strava/callback", self.url()))
            .env("API__CALLERS__CONSUMER", "consumer-token-of-the-test")
            .env("API__CALLERS__WORKER", "worker-token-of-the-test")
            .env("API__OPERATOR_TOKEN", "operator-token-of-the-test");
        let log = self.directory.path().join("api.log");
        let address = ([127, 0, 0, 1], self.port).into();
        let start = move || {
            let mut process = launch.start(log).unwrap();
            let ready = || Ok(http::get(address, "/readyz").is_ok_and(|(status, _)| status == 200));
            process.wait_ready(Duration::from_secs(20), ready).unwrap();
            process
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> reqwest::Result<Value> {
        let request = self.browser.post(format!("{}{path}", self.url())).json(&body);
        request.send().await?.error_for_status()?.json().await
    }

    /// Registers an athlete and returns the page on which to consent.
    async fn register(&self, number: u64) -> reqwest::Result<String> {
        let athlete = json!({
            "displayName": format!("Athlete {number}"),
            "email": format!("a{number}@example.org"),
        });
        let registered = self.post("/v1/athletes", athlete).await?;
        let athlete = registered["athlete"]["athleteId"].as_str().unwrap();
        let consent =
            self.post(&format!("/v1/athletes/{athlete}/strava-consent"), json!({})).await?;
        let page = consent["authorizeUrl"].as_str().unwrap();
        Ok(format!("{page}&sim_athlete={number}"))
    }

    /// Consents: the api answers once state and message are committed.
    async fn consent(&self, page: &str) -> reqwest::Result<()> {
        self.browser.get(page).send().await?.error_for_status().map(drop)
    }

    async fn promised(&self) -> Vec<String> {
        sqlx::query_scalar(r#"SELECT message_id FROM outbox ORDER BY message_id COLLATE "C""#)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }
}

async fn ended(mut process: Leashed) {
    let wait = move || process.wait_ended(Duration::from_secs(10)).unwrap();
    tokio::task::spawn_blocking(wait).await.unwrap();
}

async fn stop(process: Leashed) {
    tokio::task::spawn_blocking(move || process.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_before_the_process_died_is_published_after_its_restart() {
    const ATHLETES: u64 = 20;
    let mut world = World::new(ATHLETES).await;
    let process = world.launch().await;
    let mut pages = Vec::new();
    for number in 0..ATHLETES {
        pages.push(world.register(number).await.unwrap());
    }
    // Between commit and publish: without a broker no message gets further.
    world.broker.crash().await;
    for page in &pages {
        world.consent(page).await.unwrap();
    }
    process.signal(Signal::Kill).unwrap();
    ended(process).await;
    let promised = world.promised().await;
    assert_eq!(promised.len(), 20);
    world.broker.start_again().await;
    let connection = world.broker.connect().await;
    let before = connection.stream_info(SyncAthlete::STREAM).await.unwrap();
    assert_eq!(before.messages, 0, "nothing was published before the crash");
    let (witness, _reading) = Witness::start(&connection);
    let restarted = Instant::now();
    let process = world.launch().await;
    eventually("all are in the stream", async || witness.count() >= 20).await;
    let took = restarted.elapsed();
    assert!(took < WITHIN, "{took:?}");
    assert_eq!(witness.sorted_ids(), promised);
    println!("20 of 20 in the stream {took:?} after the start of the process");
    stop(process).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_under_load_again_and_again_loses_nothing_that_it_accepted() {
    const ATHLETES: u64 = 60;
    let world = World::new(ATHLETES).await;
    let mut process = world.launch().await;
    let connection = world.broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    let (mut accepted, mut slowest) = (0, Duration::ZERO);
    let mut next = 0;
    for _ in 0..6 {
        let mut pages = Vec::new();
        for _ in 0..ATHLETES / 6 {
            pages.push(world.register(next).await.unwrap());
            next += 1;
        }
        // All at once, and the process dies when some have their answer and some have not.
        let consents: futures::stream::FuturesUnordered<_> =
            pages.iter().map(|page| world.consent(page)).collect();
        let mut answers = consents.enumerate();
        while let Some((nth, answer)) = answers.next().await {
            accepted += usize::from(answer.is_ok());
            if nth == 3 {
                process.signal(Signal::Kill).unwrap();
            }
        }
        ended(process).await;
        let restarted = Instant::now();
        process = world.launch().await;
        let promised = world.promised().await;
        eventually("all are in the stream", async || witness.count() >= promised.len()).await;
        slowest = slowest.max(restarted.elapsed());
        assert_eq!(witness.sorted_ids(), promised);
    }
    let promised = world.promised().await.len();
    assert!(accepted >= 24 && promised >= accepted, "{accepted} accepted, {promised} promised");
    assert!(slowest < WITHIN, "{slowest:?}");
    let stored = connection.stream_info(SyncAthlete::STREAM).await.unwrap();
    assert_eq!(stored.messages, promised as u64, "each once");
    println!("6 kills: {accepted} accepted, {promised} committed, all in the stream; {slowest:?}");
    stop(process).await;
}
