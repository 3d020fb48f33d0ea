//! The api as a process, with everything around it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::PgPool;
use strava::{RateLimits, Simulator, SimulatorConfig};
use testbed::{Launch, Leashed, RunDirectory, free_port, http};

use crate::stream::Broker;
use crate::support::{connect, fresh_url};

const BINARY: &str = env!("CARGO_BIN_EXE_api");

pub(crate) const CONSUMER_TOKEN: &str = "consumer-token-of-the-test";

/// Everything around the process.
pub(crate) struct World {
    directory: RunDirectory,
    port: u16,
    database: String,
    pub(crate) pool: PgPool,
    pub(crate) broker: Broker,
    pub(crate) strava: Simulator,
    pub(crate) browser: reqwest::Client,
}

impl World {
    pub(crate) async fn new(athletes: u64) -> Self {
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

    /// Where the processes keep secrets.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.directory.path().join("secrets")
    }

    /// Starts the process and waits until it answers.
    pub(crate) async fn launch(&self) -> Leashed {
        self.launch_at(self.port, free_port().unwrap()).await.0
    }

    /// Starts one more process, and tells where it answers calls by gRPC.
    pub(crate) async fn launch_another(&self) -> (Leashed, SocketAddr) {
        self.launch_at(free_port().unwrap(), free_port().unwrap()).await
    }

    async fn launch_at(&self, http_port: u16, grpc_port: u16) -> (Leashed, SocketAddr) {
        let launch = Launch::new("api", BINARY)
            .env("API__HTTP__LISTEN", format!("127.0.0.1:{http_port}"))
            .env("API__GRPC__LISTEN", format!("127.0.0.1:{grpc_port}"))
            .env("API__DATABASE__URL", &self.database)
            .env("API__MIGRATE_ON_START", "true")
            .env("API__NATS__URL", self.broker.url())
            .env("API__SECRETS__FILE__DIRECTORY", self.secrets())
            .env("API__STRAVA__OAUTH_BASE_URL", self.strava.url())
            .env("API__STRAVA__CLIENT_ID", "12345")
            .env("API__STRAVA__CLIENT_SECRET", "simulated-client-secret")
            .env("API__STRAVA__REDIRECT_URL", format!("{}/v1/strava/callback", self.url()))
            .env("API__CALLERS__CONSUMER", CONSUMER_TOKEN)
            .env("API__CALLERS__WORKER", "worker-token-of-the-test")
            .env("API__OPERATOR_TOKEN", "operator-token-of-the-test");
        let log = self.directory.path().join(format!("api-{http_port}.log"));
        let address = ([127, 0, 0, 1], http_port).into();
        let start = move || {
            let mut process = launch.start(log).unwrap();
            let ready = || Ok(http::get(address, "/readyz").is_ok_and(|(status, _)| status == 200));
            process.wait_ready(Duration::from_secs(20), ready).unwrap();
            process
        };
        let process = tokio::task::spawn_blocking(start).await.unwrap();
        (process, ([127, 0, 0, 1], grpc_port).into())
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> reqwest::Result<Value> {
        let request = self.browser.post(format!("{}{path}", self.url())).json(&body);
        request.send().await?.error_for_status()?.json().await
    }

    /// Registers an athlete and returns the page on which to consent.
    pub(crate) async fn register(&self, number: u64) -> reqwest::Result<String> {
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
    pub(crate) async fn consent(&self, page: &str) -> reqwest::Result<()> {
        self.browser.get(page).send().await?.error_for_status().map(drop)
    }

    pub(crate) async fn promised(&self) -> Vec<String> {
        sqlx::query_scalar(r#"SELECT message_id FROM outbox ORDER BY message_id COLLATE "C""#)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }
}

pub(crate) async fn ended(mut process: Leashed) {
    let wait = move || process.wait_ended(Duration::from_secs(10)).unwrap();
    tokio::task::spawn_blocking(wait).await.unwrap();
}

pub(crate) async fn stop(process: Leashed) {
    tokio::task::spawn_blocking(move || process.stop()).await.unwrap();
}
