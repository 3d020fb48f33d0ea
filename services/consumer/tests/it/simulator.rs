//! Strava's simulator and athletes who have consented.

use std::sync::Arc;

use consumer::config::StravaConfig;
use consumer_port::activities_v1::Activity;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use secrecy::SecretString;
use serde_json::{Value, json};
use strava::digest::{Digest, Fingerprint, decimetres};
use strava::{ManualClock, RateLimits, Simulator, SimulatorConfig};
use url::Url;

/// A midnight, so that no window of the quota turns by itself.
const MIDNIGHT: i64 = 1_767_225_600;

pub(crate) struct Strava {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Arc<ManualClock>,
    http: reqwest::Client,
}

/// Few athletes, quota to spare, and an oversized `upload_id` in every fourth activity.
pub(crate) fn config() -> SimulatorConfig {
    SimulatorConfig {
        athletes: 5,
        activities_per_athlete: 25,
        limits: RateLimits::UNLIMITED,
        oversized_upload_id_every: 4,
        unknown_sport_every: 5,
        ..SimulatorConfig::default()
    }
}

impl Strava {
    pub(crate) async fn start(mut config: SimulatorConfig) -> Self {
        treaty_service::crypto::install();
        let clock = Arc::new(ManualClock::at(MIDNIGHT));
        config.clock = clock.clone();
        let simulator = Simulator::start(config).await.unwrap();
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { simulator, clock, http }
    }

    /// A configuration that leads here.
    pub(crate) fn client_config(&self, page_size: u32) -> StravaConfig {
        StravaConfig {
            api_base_url: Url::parse(&self.simulator.url()).unwrap(),
            page_size,
            ..StravaConfig::default()
        }
    }

    /// Walks an athlete through the consent and gives the access token.
    pub(crate) async fn consent(&self, athlete: u64, scope: &str) -> SecretString {
        let query = [
            ("client_id", "12345"),
            ("redirect_uri", "http://localhost:9/callback"),
            ("response_type", "code"),
            ("scope", scope),
            ("sim_athlete", &athlete.to_string()),
        ];
        let page = self.http.get(self.url("/oauth/authorize")).query(&query).send().await.unwrap();
        let location = Url::parse(page.headers()[LOCATION].to_str().unwrap()).unwrap();
        let code = location.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
        let form = [
            ("client_id", "12345"),
            ("client_secret", "simulated-client-secret"),
            ("grant_type", "authorization_code"),
            ("code", &code),
        ];
        let answer = self.http.post(self.url("/oauth/token")).form(&form).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        SecretString::from(body["access_token"].as_str().unwrap())
    }

    pub(crate) async fn faults(&self, plan: Value) {
        self.post("/_sim/faults", plan).await;
    }

    pub(crate) async fn expire_tokens(&self) {
        self.post("/_sim/expire-tokens", json!({})).await;
    }

    /// Requests so far.
    pub(crate) async fn requests(&self) -> u64 {
        self.get("/_sim/requests").await["total"].as_u64().unwrap()
    }

    /// The digest of each athlete's activities, by position.
    pub(crate) async fn digests(&self) -> Vec<String> {
        let summary = self.get("/_sim/summary").await;
        let rows = summary["rows"].as_array().unwrap();
        rows.iter().map(|row| row["digest"].as_str().unwrap().to_owned()).collect()
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) {
        let answer = self.http.post(self.url(path)).json(&body).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    fn url(&self, path: &str) -> String {
        self.simulator.url() + path
    }
}

/// The simulator's digest, computed from what the api was given.
pub(crate) fn digest<'a>(activities: impl IntoIterator<Item = &'a Activity>) -> String {
    let mut digest = Digest::default();
    for activity in activities {
        digest.add(&Fingerprint {
            id: activity.activity_id,
            name: &activity.name,
            sport_type: &activity.sport_type,
            start_date: activity.start_time.as_ref().unwrap().seconds,
            moving_time: activity.moving_time.as_ref().unwrap().seconds,
            elapsed_time: activity.elapsed_time.as_ref().unwrap().seconds,
            distance_dm: decimetres(activity.distance_m),
            elevation_gain_dm: decimetres(activity.elevation_gain_m),
        });
    }
    digest.to_string()
}
