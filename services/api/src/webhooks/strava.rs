//! Strava's endpoints for subscriptions.

use chrono::{DateTime, Utc};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use treaty_error::Error;
use treaty_fetch::{BodyError, read_body, send};
use url::Url;

use super::WebhooksError;
use crate::config::{StravaConfig, WebhooksConfig};
use crate::connections::{Application, Credentials};

/// Longest answer that is read: a real one has about 300 bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// A subscription as Strava has it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) callback_url: SecretString,
    #[serde(default)]
    pub(super) created_at: Option<DateTime<Utc>>,
}

/// What became of an attempt to subscribe.
pub(super) enum Attempt {
    Created(i64),
    /// There is one already.
    Exists,
}

/// Strava's endpoints for subscriptions.
pub(super) struct PushSubscriptions {
    http: reqwest::Client,
    endpoint: Url,
    application: Application,
}

impl PushSubscriptions {
    pub(super) fn new(
        strava: &StravaConfig,
        webhooks: &WebhooksConfig,
        application: Application,
    ) -> Result<Self, Error> {
        let http = strava.fetch().client()?;
        let base = webhooks.api_base_url.as_str().trim_end_matches('/');
        let endpoint =
            Url::parse(&format!("{base}/api/v3/push_subscriptions")).map_err(Error::internal)?;
        Ok(Self { http, endpoint, application })
    }

    pub(super) async fn list(&self) -> Result<Vec<Listed>, WebhooksError> {
        let credentials = self.application.credentials().await;
        let request = self.http.get(self.endpoint.clone()).query(&client(&credentials));
        match ask(request).await? {
            (StatusCode::OK, body) => serde_json::from_slice(&body)
                .map_err(|_hidden| WebhooksError::Refused("its answer is no list".to_owned())),
            (status, body) => Err(refusal(status, &body)),
        }
    }

    /// Subscribes; Strava calls the callback before it answers.
    pub(super) async fn create(
        &self,
        callback: &Url,
        verify_token: &SecretString,
    ) -> Result<Attempt, WebhooksError> {
        #[derive(Deserialize)]
        struct Created {
            id: i64,
        }
        let credentials = self.application.credentials().await;
        let [id, secret] = client(&credentials);
        let callback = ("callback_url", callback.as_str());
        let form = [id, secret, callback, ("verify_token", verify_token.expose_secret())];
        match ask(self.http.post(self.endpoint.clone()).form(&form)).await? {
            (status, body) if status.is_success() => serde_json::from_slice(&body)
                .map(|created: Created| Attempt::Created(created.id))
                .map_err(|_hidden| WebhooksError::Refused("its answer has no id".to_owned())),
            (StatusCode::BAD_REQUEST, body) if told(&body).contains("already exists") => {
                Ok(Attempt::Exists)
            }
            (status, body) => Err(refusal(status, &body)),
        }
    }

    /// Ends a subscription; one that is not there has ended.
    pub(super) async fn delete(&self, id: i64) -> Result<(), WebhooksError> {
        let endpoint = format!("{}/{id}", self.endpoint);
        let credentials = self.application.credentials().await;
        match ask(self.http.delete(endpoint).query(&client(&credentials))).await? {
            (status, _) if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
            (status, body) => Err(refusal(status, &body)),
        }
    }
}

fn client(credentials: &Credentials) -> [(&'static str, &str); 2] {
    [("client_id", &credentials.id), ("client_secret", credentials.secret.expose_secret())]
}

async fn ask(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), WebhooksError> {
    let response = send(request, "/api/v3/push_subscriptions").await.map_err(unavailable)?;
    let status = response.status();
    let body = read_body(response, MAX_ANSWER).await.map_err(|error| match error {
        BodyError::TooLong { .. } => WebhooksError::Refused("its answer is too long".to_owned()),
        BodyError::Broken(error) => unavailable(error),
    })?;
    Ok((status, body))
}

fn unavailable(error: reqwest::Error) -> WebhooksError {
    // The address holds the application's secret.
    WebhooksError::Unavailable(Box::new(error.without_url()))
}

fn refusal(status: StatusCode, body: &[u8]) -> WebhooksError {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return WebhooksError::RateLimited;
    }
    if status.is_server_error() {
        return WebhooksError::Unavailable(format!("status {status}").into());
    }
    let told = told(body);
    let separator = if told.is_empty() { "" } else { ", " };
    WebhooksError::Refused(format!("status {}{separator}{told}", status.as_u16()))
}

/// What Strava says is wrong: a field and what about it.
fn told(body: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fault {
        errors: Vec<Detail>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Detail {
        field: String,
        code: String,
    }
    let fault: Fault = serde_json::from_slice(body).unwrap_or_default();
    let told = fault.errors.iter().map(|detail| format!("{} {}", detail.field, detail.code));
    told.collect::<Vec<_>>()
        .join(", ")
        .chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect()
}
