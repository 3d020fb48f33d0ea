//! A simulator and an application that talks to it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode, header::LOCATION, redirect::Policy};
use serde_json::{Value, json};
use strava::{ATHLETE_ID_BASE, ManualClock, RateLimits, Simulator, SimulatorConfig};
use url::Url;

/// A midnight, so the start of a quota's window of both kinds.
pub(crate) const MIDNIGHT: i64 = 1_767_225_600;
pub(crate) const REDIRECT: &str = "http://localhost:9/callback?from=strava";
const SECRET: &str = "simulated-client-secret";

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) http: Client,
}

/// The tokens that an application holds for an athlete.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(body: &Value) -> Self {
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// A small world that stands still at midnight and has quota to spare.
pub(crate) fn config() -> SimulatorConfig {
    SimulatorConfig {
        athletes: 5,
        activities_per_athlete: 70,
        limits: RateLimits::UNLIMITED,
        webhook_timeout: Duration::from_millis(500),
        webhook_retry_delay: Duration::from_millis(1),
        ..SimulatorConfig::default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(mut config: SimulatorConfig) -> Self {
        let clock = Arc::new(ManualClock::at(MIDNIGHT));
        config.clock = clock.clone();
        let simulator = Simulator::start(config).await.unwrap();
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self { simulator, clock, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.simulator.url() + path
    }

    /// Where the consent page sends the browser, for the given extra parameters.
    pub(crate) async fn authorize(&self, extra: &[(&str, &str)]) -> Response {
        let defaults = [
            ("client_id", "12345"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("approval_prompt", "auto"),
            ("scope", "read,activity:read_all"),
            ("state", "a state & more"),
        ];
        let given = |name: &str| extra.iter().any(|(key, _)| *key == name);
        let kept = defaults.iter().filter(|(name, _)| !given(name));
        let query: Vec<_> = kept.chain(extra).copied().collect();
        self.http.get(self.url("/oauth/authorize")).query(&query).send().await.unwrap()
    }

    /// Posts to the token endpoint as the application.
    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let client = [("client_id", "12345"), ("client_secret", SECRET)];
        let form: Vec<_> = client.iter().chain(fields).copied().collect();
        let response = self.http.post(self.url("/oauth/token")).form(&form).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> (StatusCode, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Walks the whole consent of one athlete.
    pub(crate) async fn connect_with(&self, athlete: u64, scope: &str) -> Tokens {
        let athlete = athlete.to_string();
        let page = self.authorize(&[("sim_athlete", &athlete), ("scope", scope)]).await;
        let code = returned(&page, "code").unwrap();
        let (status, body) =
            self.token(&[("grant_type", "authorization_code"), ("code", &code)]).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        Tokens::of(&body)
    }

    pub(crate) async fn connect(&self, athlete: u64) -> Tokens {
        self.connect_with(athlete, "read,activity:read_all").await
    }

    pub(crate) async fn get(&self, tokens: &Tokens, path: &str) -> Response {
        self.http.get(self.url(path)).bearer_auth(&tokens.access).send().await.unwrap()
    }

    pub(crate) async fn get_json(&self, tokens: &Tokens, path: &str) -> (StatusCode, Value) {
        let response = self.get(tokens, path).await;
        (response.status(), response.json().await.unwrap())
    }

    /// All activities, page by page to the empty one.
    pub(crate) async fn all(&self, tokens: &Tokens, per_page: u64) -> Vec<Value> {
        let mut activities = Vec::new();
        for page in 1.. {
            let path = format!("/api/v3/athlete/activities?page={page}&per_page={per_page}");
            let (status, body) = self.get_json(tokens, &path).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            let items = body.as_array().unwrap();
            if items.is_empty() {
                break;
            }
            activities.extend(items.iter().cloned());
        }
        activities
    }

    /// Calls the control surface and returns its JSON.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self.http.request(method, self.url(path));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await.unwrap().error_for_status().unwrap();
        let text = response.text().await.unwrap();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    pub(crate) async fn faults(&self, plan: Value) {
        self.control(Method::POST, "/_sim/faults", Some(plan)).await;
    }

    pub(crate) async fn change(&self, athlete: u64, action: &str, id: Value, edit: Value) -> Value {
        let path = format!("/_sim/athletes/{}/activities", ATHLETE_ID_BASE + athlete);
        let body = json!({ "action": action, "id": id, "activity": edit });
        self.control(Method::POST, &path, Some(body)).await
    }

    pub(crate) fn client_form<'a>(&self, extra: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        [("client_id", "12345"), ("client_secret", SECRET)].iter().chain(extra).copied().collect()
    }
}

/// A parameter of the URL that a redirect names.
pub(crate) fn returned(response: &Response, name: &str) -> Option<String> {
    assert_eq!(response.status(), StatusCode::FOUND);
    let location = Url::parse(response.headers()[LOCATION].to_str().unwrap()).unwrap();
    let mut pairs = location.query_pairs();
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Strava's error body.
pub(crate) fn refusal(message: &str, [resource, field, code]: [&str; 3]) -> Value {
    json!({
        "message": message,
        "errors": [{ "resource": resource, "field": field, "code": code }],
    })
}
