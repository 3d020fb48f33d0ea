//! What users do: register, consent, and wait for their activities.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// Athletes that register and consent at the same time.
const CONCURRENT_USERS: usize = 8;

/// Somebody who uses the system over HTTP, as a browser and an operator would.
#[derive(Clone)]
pub struct User {
    client: Client,
    api: SocketAddr,
    operator_token: String,
}

impl User {
    /// A user of the api at this address.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(api: SocketAddr, operator_token: &str) -> Result<Self> {
        // A second installation is refused and the first one stays, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(Duration::from_secs(30))
            // The browser's redirects are followed by hand, to see each step.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, api, operator_token: operator_token.to_owned() })
    }

    /// Waits until the api says that it is ready.
    ///
    /// # Errors
    /// When it does not within `timeout`.
    pub async fn wait_ready(&self, timeout: Duration) -> Result<()> {
        let url = format!("http://{}/readyz", self.api);
        let ready = async || {
            let answer = self.client.get(&url).send().await;
            Ok(answer.is_ok_and(|answer| answer.status() == StatusCode::OK))
        };
        wait("the api to be ready", timeout, ready).await
    }

    /// Registers one athlete and walks its consent; gives its id.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn join(&self, index: u32) -> Result<String> {
        let athlete = self
            .post(
                "/v1/athletes",
                &json!({
                    "displayName": format!("Athlete {index}"),
                    "email": format!("athlete-{index}@example.org"),
                }),
            )
            .await?;
        let id = athlete["athlete"]["athleteId"].as_str().context("no athleteId")?.to_owned();
        self.consent(&id, index).await?;
        Ok(id)
    }

    /// Walks the consent of an athlete who has registered, as that athlete of Strava's.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn consent(&self, id: &str, index: u32) -> Result<()> {
        let consent = self.post(&format!("/v1/athletes/{id}/strava-consent"), &json!({})).await?;
        let authorize = consent["authorizeUrl"].as_str().context("no authorizeUrl")?;
        // The simulator has no page to click on: it consents as the athlete named here.
        let consented = self.client.get(format!("{authorize}&sim_athlete={index}")).send().await?;
        let callback = consented
            .headers()
            .get("location")
            .and_then(|location| location.to_str().ok())
            .with_context(|| format!("Strava did not send back: {}", consented.status()))?;
        let connected = answer(self.client.get(callback).send().await?).await?;
        if connected["athleteId"] != id {
            bail!("the callback connected {connected}, not {id}");
        }
        Ok(())
    }

    /// Registers and connects athletes `0..count`; gives their ids in order.
    ///
    /// # Errors
    /// When a step of one is refused.
    pub async fn join_all(&self, count: u32) -> Result<Vec<String>> {
        stream::iter(0..count)
            .map(|index| async move {
                self.join(index).await.with_context(|| format!("athlete {index} cannot join"))
            })
            .buffered(CONCURRENT_USERS)
            .try_collect()
            .await
    }

    /// Reads a path of the api as an operator.
    ///
    /// # Errors
    /// When it answers anything but success.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let request = self.client.get(format!("http://{}{path}", self.api));
        answer(request.bearer_auth(&self.operator_token).send().await?)
            .await
            .with_context(|| format!("GET {path}"))
    }

    /// Reads any address, such as the simulator's.
    ///
    /// # Errors
    /// When it answers anything but success.
    pub async fn get_url(&self, url: &str) -> Result<Value> {
        answer(self.client.get(url).send().await?).await.with_context(|| format!("GET {url}"))
    }

    /// Posts to any address, such as the simulator's.
    ///
    /// # Errors
    /// When it answers anything but success.
    pub async fn post_url(&self, url: &str, body: &Value) -> Result<Value> {
        answer(self.client.post(url).json(body).send().await?)
            .await
            .with_context(|| format!("POST {url}"))
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.client.post(format!("http://{}{path}", self.api)).json(body);
        answer(request.send().await?).await.with_context(|| format!("POST {path}"))
    }

    /// How many activities the api has in all.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn activities(&self) -> Result<u64> {
        let totals = self.get("/v1/totals").await?;
        Ok(number(&totals["activities"]))
    }
}

/// A 64-bit number in proto JSON, which is a text; absent when 0.
pub(crate) fn number(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).or(value.as_u64()).unwrap_or(0)
}

async fn answer(response: reqwest::Response) -> Result<Value> {
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        bail!("{status}: {text}");
    }
    serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
}

/// Asks until the answer is yes.
///
/// # Errors
/// What `condition` fails with, or that time ran out.
pub async fn wait(
    what: &str,
    timeout: Duration,
    mut condition: impl AsyncFnMut() -> Result<bool>,
) -> Result<()> {
    let start = Instant::now();
    loop {
        if condition().await? {
            return Ok(());
        }
        if start.elapsed() > timeout {
            bail!("waited {} s for {what}, in vain", timeout.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
