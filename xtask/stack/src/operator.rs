//! An operator of an api, wherever it runs.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Longer than any call of the api takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who holds the operators' token of an api.
pub struct Operator {
    client: Client,
    api: String,
    token: String,
}

impl Operator {
    /// An operator of the api at this address, such as `https://api.example.org`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(api: &str, token: &str) -> Result<Self> {
        // A second installation is refused and the first one stays, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(PATIENCE)
            // The token must not follow one to another host.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, api: api.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    /// Subscribes to Strava's events unless the application is subscribed already.
    ///
    /// # Errors
    /// What the api refuses, in its words.
    pub async fn subscribe(&self) -> Result<Value> {
        self.post("/v1/webhook-subscriptions", &json!({})).await
    }

    /// What the application is subscribed to at Strava.
    ///
    /// # Errors
    /// What the api refuses, in its words.
    pub async fn subscriptions(&self) -> Result<Vec<Value>> {
        let answer = self.call(Method::GET, "/v1/webhook-subscriptions", None).await?;
        Ok(answer["subscriptions"].as_array().cloned().unwrap_or_default())
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// What the api refuses, in its words.
    pub async fn unsubscribe(&self, id: u64) -> Result<()> {
        let path = format!("/v1/webhook-subscriptions/{id}");
        self.call(Method::DELETE, &path, None).await.map(drop)
    }

    /// Posts to a path of the api.
    ///
    /// # Errors
    /// What the api refuses, in its words.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("{}{path}", self.api);
        let mut request = self.client.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response =
            request.send().await.with_context(|| format!("the api does not answer at {url}"))?;
        let status = response.status();
        let text = response.text().await?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if !status.is_success() {
            bail!("{}", answer["message"].as_str().map_or(status.to_string(), str::to_owned));
        }
        Ok(answer)
    }
}
