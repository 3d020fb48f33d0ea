//! The client of Strava's API.

use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use treaty_error::Error;
use url::Url;

use super::quota::{Gate, Spent};
use super::{Page, StravaError};
use crate::config::StravaConfig;

/// Most bytes of an answer that are read. A full page has about half a megabyte.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Which page of an athlete's activities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Only activities that started after this second since the epoch. Strava then lists the oldest
    /// first, otherwise the newest.
    pub after: Option<i64>,
    /// Only activities that started before this second since the epoch.
    pub before: Option<i64>,
    /// The page's number, from 1.
    pub page: u32,
}

/// Lists an athlete's activities.
#[async_trait]
pub trait ActivityPages: Send + Sync + 'static {
    /// A page of the activities of the athlete who gave the token; the list ends with an empty one.
    async fn page(&self, token: &SecretString, query: PageQuery) -> Result<Page, StravaError>;
}

/// [`ActivityPages`] over HTTP. One for the whole process: it keeps connections, and it stops
/// asking while the quota, which all jobs share, is spent.
#[derive(Debug)]
pub struct StravaClient {
    http: reqwest::Client,
    activities: Url,
    page_size: u32,
    gate: Gate,
}

impl StravaClient {
    /// Prepares the client.
    ///
    /// # Errors
    /// When the HTTP client cannot be made or the address cannot be used.
    pub fn new(config: &StravaConfig) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(config.connect_timeout_seconds))
            .read_timeout(Duration::from_secs(config.read_timeout_seconds))
            .timeout(Duration::from_secs(config.timeout_seconds))
            // A token must not follow a redirection to another host.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("stravasync-consumer/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::internal)?;
        let base = config.api_base_url.as_str().trim_end_matches('/');
        let activities =
            Url::parse(&format!("{base}/api/v3/athlete/activities")).map_err(Error::internal)?;
        Ok(Self { http, activities, page_size: config.page_size, gate: Gate::default() })
    }

    /// Closes the gate when an answer tells that the next call would be refused.
    fn watch_quota(&self, response: &Response) -> Spent {
        let spent = Spent::read(response.headers());
        if let Some(wait) = spent.wait(Utc::now()) {
            self.gate.close_for(wait);
        }
        spent
    }

    fn rate_limited(&self, spent: Spent) -> StravaError {
        let retry_after = spent.wait_after_refusal(Utc::now());
        self.gate.close_for(retry_after);
        StravaError::RateLimited { retry_after }
    }
}

#[async_trait]
impl ActivityPages for StravaClient {
    async fn page(&self, token: &SecretString, query: PageQuery) -> Result<Page, StravaError> {
        if let Some(retry_after) = self.gate.closed_for() {
            return Err(StravaError::RateLimited { retry_after });
        }
        let response = self
            .http
            .get(self.activities.clone())
            .query(&[("page", query.page), ("per_page", self.page_size)])
            .query(&[("after", query.after), ("before", query.before)])
            .bearer_auth(token.expose_secret())
            .send()
            .await?;
        let spent = self.watch_quota(&response);
        let status = response.status();
        match status {
            StatusCode::OK => Page::parse(&read(response).await?),
            StatusCode::UNAUTHORIZED => Err(unauthorized(&read(response).await?)),
            StatusCode::TOO_MANY_REQUESTS => Err(self.rate_limited(spent)),
            StatusCode::REQUEST_TIMEOUT => Err(StravaError::Failed { status: status.as_u16() }),
            _ if status.is_client_error() => Err(StravaError::Refused { status: status.as_u16() }),
            _ => Err(StravaError::Failed { status: status.as_u16() }),
        }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, StravaError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(StravaError::TooLong { limit: MAX_ANSWER });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fault {
    errors: Vec<FaultDetail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FaultDetail {
    field: String,
    code: String,
}

/// Strava answers 401 to a token that is not valid and to one that does not suffice.
fn unauthorized(body: &[u8]) -> StravaError {
    let fault: Fault = serde_json::from_slice(body).unwrap_or_default();
    let of_permission =
        |detail: &FaultDetail| detail.code == "missing" && detail.field.contains("permission");
    if fault.errors.iter().any(of_permission) {
        StravaError::MissingPermission
    } else {
        StravaError::TokenRefused
    }
}
