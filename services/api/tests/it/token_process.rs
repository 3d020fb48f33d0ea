//! Tokens under several processes, and under one that dies in the middle of a refresh.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api_port::connections_v1::connections_service::ConnectionsServiceClient;
use api_port::connections_v1::{ConnectionsService, GetAccessTokenRequest};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testbed::{Leashed, Signal};
use treaty_error::{Code, Result};
use treaty_rpc::{ClientConfig, Context, connect_lazy};
use treaty_secrets::{Expected, Secret, SecretPath, SecretStore as _};
use uuid::Uuid;

use crate::process::{CONSUMER_TOKEN, World, ended, stop};
use crate::support::{eventually, file_store};

/// A consumer's client of one process.
#[derive(Clone)]
struct Client(Arc<dyn ConnectionsService>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let token = SecretString::from(CONSUMER_TOKEN);
        let channel = connect_lazy(&ClientConfig::new(address.to_string(), token)).unwrap();
        Self(Arc::new(ConnectionsServiceClient::new(channel)))
    }

    async fn token(&self, athlete_id: &str, rejected: Option<&str>) -> Result<String> {
        let digest = |token: &str| Sha256::digest(token.as_bytes()).to_vec();
        let request = GetAccessTokenRequest {
            athlete_id: athlete_id.to_owned(),
            rejected_token_digest: rejected.map(digest).unwrap_or_default(),
        };
        let context = Context::background().with_deadline(Duration::from_secs(20));
        self.0.get_access_token(&context, request).await.map(|response| response.access_token)
    }
}

impl World {
    /// An athlete who has consented.
    async fn connected(&self) -> String {
        let page = self.register(0).await.unwrap();
        self.consent(&page).await.unwrap();
        self.athlete().await
    }

    /// A process that will refresh the tokens of an athlete, because they have ended, as soon as it is
    /// asked for them.
    async fn about_to_refresh(&self) -> (Leashed, SocketAddr, String) {
        let (process, address) = self.launch_another().await;
        let athlete = self.connected().await;
        self.simulate("/_sim/expire-tokens", json!({})).await;
        self.change_time(&athlete, "expires_at", Utc::now()).await;
        (process, address, athlete)
    }

    async fn athlete(&self) -> String {
        sqlx::query_scalar("SELECT athlete_id::text FROM strava_connections")
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    async fn state(&self) -> String {
        sqlx::query_scalar("SELECT state::text FROM strava_connections")
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Changes one of the times that are kept with an athlete's tokens, as if they had been received
    /// earlier.
    async fn change_time(&self, athlete: &str, name: &str, time: DateTime<Utc>) {
        let store = file_store(self.secrets()).await;
        let path = SecretPath::new(format!("stravasync/athletes/{athlete}")).unwrap();
        let stored = store.read(&path).await.unwrap().unwrap();
        let id = Uuid::now_v7();
        let mut changed = Secret::new();
        for (name, value) in stored.secret.fields() {
            changed = changed.with(name, value.clone());
        }
        // Another id, so that no process goes by what it remembers.
        let changed = changed.with("id", id.to_string()).with(name, time.to_rfc3339());
        store.write(&path, &changed, Expected::Version(stored.version)).await.unwrap();
        sqlx::query("UPDATE strava_connections SET tokens_id = $1")
            .bind(id)
            .execute(&self.pool)
            .await
            .unwrap();
    }

    async fn sql(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }

    async fn simulate(&self, path: &str, body: Value) {
        let url = format!("{}{path}", self.strava.url());
        let answer = self.browser.post(url).json(&body).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    /// How often Strava was asked for tokens.
    async fn token_requests(&self) -> u64 {
        let url = format!("{}/_sim/requests", self.strava.url());
        let counts: Value = self.browser.get(url).send().await.unwrap().json().await.unwrap();
        let routes = counts["routes"].as_array().unwrap();
        let tokens = routes.iter().filter(|line| line["route"] == "/oauth/token");
        tokens.map(|line| line["count"].as_u64().unwrap()).sum()
    }
}

/// Fifty jobs ask for the athlete's token at once, half of them each process.
async fn fifty(clients: &[Client; 2], athlete: &str, rejected: Option<&str>) -> Vec<String> {
    let job = |number: usize| {
        let (client, athlete) = (clients[number % 2].clone(), athlete.to_owned());
        let rejected = rejected.map(str::to_owned);
        tokio::spawn(async move { client.token(&athlete, rejected.as_deref()).await.unwrap() })
    };
    let jobs: Vec<_> = (0..50).map(job).collect();
    let mut tokens = Vec::new();
    for job in jobs {
        tokens.push(job.await.unwrap());
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_jobs_that_meet_one_ended_token_refresh_it_once() {
    let world = World::new(1).await;
    let first = world.launch().await;
    let (one, one_address) = world.launch_another().await;
    let (two, two_address) = world.launch_another().await;
    let clients = [Client::new(one_address), Client::new(two_address)];
    let athlete = world.connected().await;
    let old = clients[0].token(&athlete, None).await.unwrap();
    // All fifty come while Strava takes its time.
    world.simulate("/_sim/faults", json!({ "routes": "oauth", "latency_ms": 500 })).await;

    world.simulate("/_sim/expire-tokens", json!({})).await;
    world.change_time(&athlete, "expires_at", Utc::now()).await;
    let before = world.token_requests().await;
    let tokens = fifty(&clients, &athlete, None).await;
    assert_eq!((tokens.len(), world.token_requests().await - before), (1, 1));
    assert_ne!(tokens[0], old);

    // The same when we believe that it lasts, and Strava does not.
    world.simulate("/_sim/expire-tokens", json!({})).await;
    world.change_time(&athlete, "received_at", Utc::now() - TimeDelta::hours(1)).await;
    let rejected = &tokens[0];
    let before = world.token_requests().await;
    let tokens = fifty(&clients, &athlete, Some(rejected)).await;
    assert_eq!((tokens.len(), world.token_requests().await - before), (1, 1));
    assert_ne!(&tokens[0], rejected);
    for process in [first, one, two] {
        stop(process).await;
    }
}

/// Holds up whoever names new tokens in Postgres, after the store has them.
const HOLD_UP: &str = "
    CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
    CREATE TRIGGER hold_up BEFORE UPDATE ON strava_connections
        FOR EACH ROW EXECUTE FUNCTION hold_up();";

/// Ends what was held up. Its transaction was never committed.
const RELEASE: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep';
    DROP TRIGGER hold_up ON strava_connections;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_after_our_store_and_before_its_commit_loses_nothing() {
    let world = World::new(1).await;
    let first = world.launch().await;
    let (dying, address, athlete) = world.about_to_refresh().await;
    world.sql(HOLD_UP).await;
    let before = world.token_requests().await;

    let (client, asking) = (Client::new(address), athlete.clone());
    let asked = tokio::spawn(async move { client.token(&asking, None).await });
    eventually("the new tokens are kept and about to be named", async || {
        let held: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event = 'PgSleep'",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        held == 1
    })
    .await;
    dying.signal(Signal::Kill).unwrap();
    ended(dying).await;
    world.sql(RELEASE).await;
    asked.abort();

    // Another process finds them, and so does the next refresh.
    let (next, address) = world.launch_another().await;
    let client = Client::new(address);
    let token = client.token(&athlete, None).await.unwrap();
    assert_eq!(world.token_requests().await - before, 1);
    world.simulate("/_sim/expire-tokens", json!({})).await;
    world.change_time(&athlete, "received_at", Utc::now() - TimeDelta::hours(1)).await;
    let another = client.token(&athlete, Some(&token)).await.unwrap();
    assert_ne!(another, token);
    assert_eq!(world.token_requests().await - before, 2);
    for process in [first, next] {
        stop(process).await;
    }
}

/// Holds up whoever writes to the store, as a disk that does not answer would: it waits for its locks.
fn hold_up_store(directory: &Path) -> Vec<File> {
    let locks = (0..16).map(|number| directory.join(format!(".lock-{number}")));
    let lock = |path: PathBuf| {
        let file = File::options().create(true).append(true).open(path).unwrap();
        file.lock().unwrap();
        file
    };
    locks.map(lock).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_between_strava_s_answer_and_our_store_ends_in_a_new_consent() {
    let world = World::new(1).await;
    let first = world.launch().await;
    let (dying, address, athlete) = world.about_to_refresh().await;
    let before = world.token_requests().await;
    let held = hold_up_store(&world.secrets());

    let (client, asking) = (Client::new(address), athlete.clone());
    let asked = tokio::spawn(async move { client.token(&asking, None).await });
    eventually("Strava has given new tokens", async || world.token_requests().await > before).await;
    dying.signal(Signal::Kill).unwrap();
    ended(dying).await;
    drop(held);
    asked.abort();

    // Strava has forgotten what we have kept: the next refresh is refused, which ends the
    // connection, and nobody asks again.
    let (next, address) = world.launch_another().await;
    let client = Client::new(address);
    for requests in [1, 0] {
        let before = world.token_requests().await;
        let refused = client.token(&athlete, None).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(world.token_requests().await - before, requests);
        assert_eq!(world.state().await, "revoked");
    }
    // A new consent mends it.
    let consent = format!("/v1/athletes/{athlete}/strava-consent");
    let consent = world.post(&consent, json!({})).await.unwrap();
    let page = format!("{}&sim_athlete=0", consent["authorizeUrl"].as_str().unwrap());
    world.consent(&page).await.unwrap();
    assert!(client.token(&athlete, None).await.is_ok());
    assert_eq!(world.state().await, "connected");
    for process in [first, next] {
        stop(process).await;
    }
}
