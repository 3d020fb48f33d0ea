//! Users who do not give up: they try the next api, and again later.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use stack::Stack;

/// How long they try.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long they wait before they try again.
const PAUSE: Duration = Duration::from_millis(100);

/// Users of all apis of a system.
#[derive(Clone)]
pub struct Crowd {
    client: Client,
    apis: Vec<SocketAddr>,
    operator_token: String,
}

/// What an api answered, whatever its status.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Crowd {
    pub fn of(stack: &Stack) -> Result<Self> {
        // A second installation is refused and the first one stays, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let apis = stack.addresses().each_http.clone();
        Ok(Self { client, apis, operator_token: stack.operator_token().to_owned() })
    }

    /// How many apis there are.
    pub fn apis(&self) -> usize {
        self.apis.len()
    }

    /// Calls one api once.
    pub async fn call(
        &self,
        api: usize,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Answer> {
        let url = format!("http://{}{path}", self.apis[api % self.apis.len()]);
        let mut request = self.client.request(method, url).bearer_auth(&self.operator_token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
    }

    /// Calls until an api answers with anything but a failure of its own.
    async fn call_surely(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        // One api after the other, so that not all of the crowd starts at the same one.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let started = Instant::now();
        loop {
            let api = NEXT.fetch_add(1, Ordering::Relaxed);
            let outcome = self.call(api, method.clone(), path, body).await;
            match outcome {
                Ok(answer) if !answer.status.is_server_error() => return Ok(answer),
                Ok(answer) if started.elapsed() > PATIENCE => {
                    bail!("{path}: {} for {PATIENCE:?}: {}", answer.status, answer.body)
                }
                Err(error) if started.elapsed() > PATIENCE => {
                    return Err(error).context(format!("{path}: in vain for {PATIENCE:?}"));
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Registers an athlete and connects it, however often that has to be begun anew. What this
    /// returns was accepted: its first sync must come.
    pub async fn join(&self, index: u32) -> Result<String> {
        let athlete = self.register(index).await?;
        let started = Instant::now();
        loop {
            match self.consent(&athlete, index).await {
                Ok(()) => return Ok(athlete),
                Err(error) if started.elapsed() > PATIENCE => {
                    return Err(error.context(format!("athlete {index} cannot consent")));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn register(&self, index: u32) -> Result<String> {
        let email = format!("athlete-{index}@example.org");
        let body = json!({"displayName": format!("Athlete {index}"), "email": email});
        let answer = self.call_surely(Method::POST, "/v1/athletes", Some(&body)).await?;
        match answer.status {
            StatusCode::OK => Ok(text(&answer.body["athlete"]["athleteId"])),
            // An answer of before was lost on the way.
            StatusCode::CONFLICT => self.find(&email).await,
            status => bail!("registering: {status}: {}", answer.body),
        }
    }

    async fn find(&self, email: &str) -> Result<String> {
        let mut token = String::new();
        loop {
            let path = format!("/v1/athletes?pageSize=500&pageToken={token}");
            let page = self.call_surely(Method::GET, &path, None).await?.body;
            let athletes = page["athletes"].as_array().cloned().unwrap_or_default();
            if let Some(found) = athletes.iter().find(|athlete| athlete["email"] == email) {
                return Ok(text(&found["athleteId"]));
            }
            token = text(&page["nextPageToken"]);
            anyhow::ensure!(!token.is_empty(), "{email} is known and not listed");
        }
    }

    /// Walks the consent once.
    async fn consent(&self, athlete: &str, index: u32) -> Result<()> {
        let path = format!("/v1/athletes/{athlete}/strava-consent");
        let consent = self.call_surely(Method::POST, &path, Some(&json!({}))).await?;
        let page = consent.body["authorizeUrl"].as_str().with_context(|| {
            format!("no page to consent on: {}: {}", consent.status, consent.body)
        })?;
        let page = format!("{page}&sim_athlete={index}");
        let sent_back = self.client.get(page).send().await?;
        let location = sent_back.headers().get("location").context("Strava did not send back")?;
        let location: reqwest::Url = location.to_str()?.parse()?;
        let query = location.query().context("Strava sent back without a code")?;
        let path = format!("{}?{query}", location.path());
        // Once: neither state nor code work a second time.
        for api in 0..self.apis.len() {
            let answer = self.call(api, Method::GET, &path, None).await;
            match answer {
                Ok(answer) if answer.status.is_success() => return Ok(()),
                Err(error) if error.is_connect() => {}
                Ok(answer) => bail!("{}: {}", answer.status, answer.body),
                Err(error) => return Err(error.into()),
            }
        }
        bail!("no api is there")
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
