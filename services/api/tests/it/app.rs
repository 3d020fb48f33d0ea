//! The whole api: from the browser to the stream, and from the stream to the database.

use std::sync::Mutex;
use std::time::Duration;

use api::app::{App, Listeners};
use api::config::Config;
use api::sync::Outcome;
use api_port::sync_v1::{AthleteSyncEnded, SyncAthlete};
use serde_json::{Value, json};
use strava::{Simulator, SimulatorConfig};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use treaty_nats::{Event as _, NatsConfig};
use treaty_secrets::{Expected, Secret, SecretPath, SecretStore as _};

use crate::process::CONSUMER_TOKEN;
use crate::support::{
    activities, activity, connect, eventually, file_store, fresh_url, job, page, session, syncs,
};

const OPERATOR: &str = "operator-token-of-the-test";

/// The whole api within the test's process.
pub(crate) struct Running {
    url: String,
    database: String,
    nats: NatsConfig,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), api::parts::RunError>>,
    http: reqwest::Client,
    /// Every answer, for the validator.
    answers: Mutex<Vec<Value>>,
    _strava: Simulator,
    _secrets: TempDir,
}

async fn start() -> Running {
    let nats_url = tokio::task::spawn_blocking(|| testbed::shared_nats().url()).await.unwrap();
    start_with(nats_url, json!({})).await
}

/// Starts it at a broker, with what the configuration says of operators.
pub(crate) async fn start_with(nats_url: String, operations: Value) -> Running {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let strava = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let listeners = Listeners {
        http: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        grpc: TcpListener::bind("127.0.0.1:0").await.unwrap(),
    };
    let url = format!("http://{}", listeners.http.local_addr().unwrap());
    let database = fresh_url().await;
    let secrets = tempfile::tempdir().unwrap();
    // Our application's secret is nowhere but in the store.
    let application = Secret::new()
        .with("STRAVA_CLIENT_ID", "12345")
        .with("STRAVA_CLIENT_SECRET", "simulated-client-secret");
    let at = SecretPath::new("strava-credentials").unwrap();
    let store = file_store(secrets.path().to_owned()).await;
    store.write(&at, &application, Expected::Absent).await.unwrap();
    let config = json!({
        "database": {"url": database},
        "secrets": {"file": {"directory": secrets.path()}},
        "migrate_on_start": true,
        "http": {
            "documents": concat!(env!("CARGO_MANIFEST_DIR"), "/../../gen"),
            "server": {"notice_milliseconds": 0},
        },
        "grpc": {"server": {"notice_milliseconds": 0}},
        "nats": {"url": nats_url},
        "strava": {
            "oauth_base_url": strava.url(),
            "redirect_url": format!("{url}/v1/strava/callback"),
        },
        "callers": {"consumer": CONSUMER_TOKEN, "worker": "worker-token-of-the-test"},
        "operator_token": OPERATOR,
        "operations": operations,
    });
    let config: Config = serde_json::from_value(config).unwrap();
    let app = App::connect(config).await.unwrap();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(app.serve(listeners, shutdown.clone()));
    let nats = NatsConfig::new(nats_url);
    let (http, answers) = (reqwest::Client::new(), Mutex::default());
    let (_strava, _secrets) = (strava, secrets);
    Running { url, database, nats, shutdown, serving, http, answers, _strava, _secrets }
}

impl Running {
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(OPERATOR);
        self.answer(request).await
    }

    /// Posts as an operator.
    pub(crate) async fn operate(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(OPERATOR);
        self.answer(request.json(&body)).await
    }

    /// Gets with this token.
    pub(crate) async fn get_as(&self, token: &str, path: &str) -> (u16, Value) {
        self.answer(self.http.get(format!("{}{path}", self.url)).bearer_auth(token)).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.answer(self.http.post(format!("{}{path}", self.url)).json(&body)).await
    }

    /// Asks, and keeps what is answered.
    async fn answer(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let request = request.build().unwrap();
        let method = request.method().to_string();
        let response = self.http.execute(request).await.unwrap();
        // A redirection of Strava's may have led here.
        let path = response.url().path().to_owned();
        let status = response.status().as_u16();
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        let body: Value = response.json().await.unwrap();
        self.answers.lock().unwrap().push(json!({
            "method": method,
            "path": path,
            "status": status,
            "contentType": content_type,
            "body": body,
        }));
        (status, body)
    }

    /// Every answer is what the OpenAPI document says.
    pub(crate) async fn judge_answers(&self) {
        let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../gen/openapi/api.json");
        let answers = std::mem::take(&mut *self.answers.lock().unwrap());
        assert!(answers.len() > 10, "{answers:?}");
        let recorded = json!({"openapi": document, "answers": answers}).to_string();
        let judging = tokio::task::spawn_blocking(move || {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), recorded).unwrap();
            testbed::judge_answers(&testbed::Tools::new().unwrap(), file.path())
        });
        judging.await.unwrap().unwrap();
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(30), self.serving).await;
        ended.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn from_registration_to_the_first_sync_and_its_end() {
    let api = start().await;
    let body = json!({"displayName": "Ada", "email": "ada@example.org"});
    let (status, registered) = api.post("/v1/athletes", body.clone()).await;
    assert_eq!(status, 200, "{registered}");
    let athlete_id = registered["athlete"]["athleteId"].as_str().unwrap().to_owned();
    let (status, refused) = api.post("/v1/athletes", body).await;
    assert_eq!((status, &refused["code"]), (409, &json!(6)));

    let path = format!("/v1/athletes/{athlete_id}/strava-consent");
    let (status, consent) = api.post(&path, json!({})).await;
    assert_eq!(status, 200, "{consent}");
    let page = consent["authorizeUrl"].as_str().unwrap();
    // The browser follows Strava's redirection to our callback.
    let (status, connected) = api.answer(api.http.get(page)).await;
    assert_eq!((status, connected["athleteId"].as_str()), (200, Some(athlete_id.as_str())));
    let path = format!("/v1/athletes/{athlete_id}");
    let (_, athlete) = api.get(&path).await;
    assert_eq!(athlete["athlete"]["connectionState"], "CONNECTION_STATE_CONNECTED");

    let nats = treaty_nats::connect(&api.nats).await.unwrap();
    eventually("the job is in the stream", async || {
        nats.stream_info(SyncAthlete::STREAM).await.is_ok_and(|stream| stream.messages > 0)
    })
    .await;

    let before = nats.stream_info(SyncAthlete::STREAM).await.unwrap().messages;
    sync(&api, &athlete_id).await;
    let (_, athlete) = api.get(&path).await;
    assert!(athlete["athlete"]["lastSyncTime"].is_string(), "{athlete}");
    let (status, state) = api.get(&format!("{path}/sync-state")).await;
    assert_eq!((status, state["state"]["lastFullWalkTime"].is_string()), (200, true), "{state}");
    eventually("the end is told", async || {
        nats.stream_info(AthleteSyncEnded::STREAM).await.unwrap().messages > before
    })
    .await;

    let (status, totals) = api.get(&format!("/v1/totals?athleteId={athlete_id}")).await;
    assert_eq!((status, &totals["movingTime"]), (200, &json!("180s")), "{totals}");
    refusals(&api).await;
    let (status, activities) = api.get(&format!("{path}/activities?pageSize=2")).await;
    assert_eq!(
        (status, activities["activities"][0]["activityId"].is_string()),
        (200, true),
        "{activities}"
    );
    assert_eq!(api.get("/v1/athletes?pageSize=1").await.0, 200);
    api.judge_answers().await;
    api.stop().await;
}

/// What the consumer would do.
async fn sync(api: &Running, athlete_id: &str) {
    let pool = connect(&api.database).await;
    let athlete_id = athlete_id.parse().unwrap();
    let syncs = syncs(&pool);
    let lease = session(&syncs, &job(athlete_id, "r1")).await.lease;
    let batch = (1..=3).map(|number| activity(athlete_id, number)).collect();
    activities(&pool).upsert(&page(athlete_id, lease), batch).await.unwrap();
    syncs.end(athlete_id, "r1", lease, Outcome::Succeeded).await.unwrap();
    pool.close().await;
}

async fn refusals(api: &Running) {
    let anonymous = api.http.get(format!("{}/v1/athletes", api.url));
    assert_eq!(api.answer(anonymous).await.0, 401);
    let wrong = api.http.get(format!("{}/v1/athletes", api.url)).bearer_auth("not-a-known-token");
    assert_eq!(api.answer(wrong).await.0, 401);
    for (path, status, field) in [
        ("/v1/athletes?pageToken=x", 400, "page_token"),
        ("/v1/athletes?pageSize=-1", 400, "page_size"),
        ("/v1/athletes/nobody", 400, "athlete_id"),
        ("/v1/strava/callback?state=x&code=y", 400, "state"),
    ] {
        let (answered, body) = api.get(path).await;
        assert_eq!(answered, status, "{path}: {body}");
        assert_eq!(body["details"][0]["fieldViolations"][0]["field"], field, "{path}: {body}");
    }
    assert_eq!(api.get("/v1/activities/999").await.0, 404);
    for path in ["/livez", "/readyz", "/docs/", "/openapi/api.json"] {
        let response = api.http.get(format!("{}{path}", api.url)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
    }
}
