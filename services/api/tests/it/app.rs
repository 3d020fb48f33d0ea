//! The whole api: from the browser to the stream, and from the stream to the database.

use std::time::Duration;

use api::app::{App, Listeners};
use api::config::Config;
use api_port::sync_v1::{AthleteSyncEnded, SyncAthlete, SyncOutcome};
use api_port::well_known::Timestamp;
use serde_json::{Value, json};
use strava::{Simulator, SimulatorConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use treaty_nats::{Event as _, NatsConfig, Publish as _, Publisher};

use crate::support::{eventually, fresh_url};

const OPERATOR: &str = "operator-token-of-the-test";

struct Running {
    url: String,
    nats: NatsConfig,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), api::app::RunError>>,
    http: reqwest::Client,
    _strava: Simulator,
}

async fn start() -> Running {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let strava = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let nats_url = tokio::task::spawn_blocking(|| testbed::shared_nats().url()).await.unwrap();
    let listeners = Listeners {
        http: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        grpc: TcpListener::bind("127.0.0.1:0").await.unwrap(),
    };
    let url = format!("http://{}", listeners.http.local_addr().unwrap());
    let config = json!({
        "database": {"url": fresh_url().await},
        "migrate_on_start": true,
        "nats": {"url": nats_url},
        "strava": {
            "oauth_base_url": strava.url(),
            "client_id": "12345",
            "client_secret": "simulated-client-secret",
            "redirect_url": format!("{url}/v1/strava/callback"),
        },
        "callers": {"consumer": "consumer-token-of-the-test", "worker": "worker-token-of-the-test"},
        "operator_token": OPERATOR,
    });
    let config: Config = serde_json::from_value(config).unwrap();
    let app = App::connect(config).await.unwrap();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(app.serve(listeners, shutdown.clone()));
    let nats = NatsConfig::new(nats_url);
    Running { url, nats, shutdown, serving, http: reqwest::Client::new(), _strava: strava }
}

impl Running {
    async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(OPERATOR);
        answer(request).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        answer(self.http.post(format!("{}{path}", self.url)).json(&body)).await
    }

    async fn stop(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(30), self.serving).await;
        ended.unwrap().unwrap().unwrap();
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
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
    let (status, connected) = answer(api.http.get(page)).await;
    assert_eq!((status, connected["athleteId"].as_str()), (200, Some(athlete_id.as_str())));
    let path = format!("/v1/athletes/{athlete_id}");
    let (_, athlete) = api.get(&path).await;
    assert_eq!(athlete["athlete"]["connectionState"], "CONNECTION_STATE_CONNECTED");

    let nats = treaty_nats::connect(&api.nats).await.unwrap();
    eventually("the job is in the stream", async || {
        nats.stream_info(SyncAthlete::STREAM).await.is_ok_and(|stream| stream.messages > 0)
    })
    .await;

    let ended = AthleteSyncEnded {
        athlete_id: athlete_id.clone(),
        request_id: "r1".to_owned(),
        outcome: SyncOutcome::Succeeded.into(),
        activities: 5,
        inserted: 5,
        end_time: Some(Timestamp { seconds: 1_800_000_000, nanos: 0 }),
    };
    Publisher::new(&nats).publish(&ended).await.unwrap();
    eventually("the end is recorded", async || {
        let (_, athlete) = api.get(&path).await;
        athlete["athlete"]["lastSyncTime"].is_string()
    })
    .await;

    let (status, totals) = api.get(&format!("/v1/totals?athleteId={athlete_id}")).await;
    assert_eq!((status, &totals["movingTime"]), (200, &json!("0s")), "{totals}");
    refusals(&api).await;
    api.stop().await;
}

async fn refusals(api: &Running) {
    let anonymous = api.http.get(format!("{}/v1/athletes", api.url));
    assert_eq!(answer(anonymous).await.0, 401);
    let wrong = api.http.get(format!("{}/v1/athletes", api.url)).bearer_auth("not-a-known-token");
    assert_eq!(answer(wrong).await.0, 401);
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
    assert_eq!(api.get("/v1/activities/1").await.0, 404);
    for path in ["/livez", "/readyz"] {
        let response = api.http.get(format!("{}{path}", api.url)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
    }
}
