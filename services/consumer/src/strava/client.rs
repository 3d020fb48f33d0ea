//! The client of Strava's API.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use treaty_error::Error;
use treaty_fetch::{FetchConfig, read_body, send};
use treaty_rpc::{RetryBudget, RetryBudgetConfig};
use url::Url;

use super::headers::usage;
use super::pause::full_jitter;
use super::quota::Permit;
use super::{Page, Quota, StravaError};
use crate::config::StravaConfig;
use crate::errand::Errand;

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
    /// Waits for Strava's quota, while the errand's time stands still.
    async fn page(
        &self,
        errand: &Errand,
        token: &SecretString,
        query: PageQuery,
    ) -> Result<Page, StravaError>;
}

/// [`ActivityPages`] over HTTP. One for the whole process: it keeps connections, and what it has
/// reserved of the quota.
#[derive(Debug)]
pub struct StravaClient {
    http: reqwest::Client,
    activities: Url,
    page_size: u32,
    attempts: u32,
    budget: RetryBudget,
    quota: Arc<Quota>,
}

impl StravaClient {
    /// Prepares the client.
    ///
    /// # Errors
    /// When the HTTP client cannot be made or the address cannot be used.
    pub fn new(config: &StravaConfig, quota: Arc<Quota>) -> Result<Self, Error> {
        let http = FetchConfig {
            user_agent: concat!("stravasync-consumer/", env!("CARGO_PKG_VERSION")),
            connect_timeout: Duration::from_secs(config.connect_timeout_seconds),
            silence_timeout: Duration::from_secs(config.read_timeout_seconds),
            timeout: Duration::from_secs(config.timeout_seconds),
        }
        .client()?;
        let base = config.api_base_url.as_str().trim_end_matches('/');
        let activities =
            Url::parse(&format!("{base}/api/v3/athlete/activities")).map_err(Error::internal)?;
        Ok(Self {
            http,
            activities,
            page_size: config.page_size,
            attempts: config.attempts,
            budget: RetryBudget::new(RetryBudgetConfig::default()),
            quota,
        })
    }

    /// Calls once, when the quota allows.
    async fn call(
        &self,
        errand: &Errand,
        token: &SecretString,
        query: PageQuery,
    ) -> Result<Page, StravaError> {
        let permit = errand.waiting(self.quota.permit(errand.priority())).await?;
        let request = self
            .http
            .get(self.activities.clone())
            .query(&[("page", query.page), ("per_page", self.page_size)])
            .query(&[("after", query.after), ("before", query.before)])
            .bearer_auth(token.expose_secret());
        let response = send(request, "/api/v3/athlete/activities").await?;
        self.learn(&permit, &response).await;
        let status = response.status();
        match status {
            StatusCode::OK => Page::parse(&body(response).await?),
            StatusCode::UNAUTHORIZED => Err(unauthorized(&body(response).await?)),
            StatusCode::TOO_MANY_REQUESTS => Err(StravaError::RateLimited),
            StatusCode::REQUEST_TIMEOUT => Err(StravaError::Failed { status: status.as_u16() }),
            _ if status.is_client_error() => Err(StravaError::Refused { status: status.as_u16() }),
            _ => Err(StravaError::Failed { status: status.as_u16() }),
        }
    }

    /// Tells what the answer says of the quota. One that was not counted says nothing.
    async fn learn(&self, permit: &Permit, response: &Response) {
        let refused = response.status() == StatusCode::TOO_MANY_REQUESTS;
        let usage = usage(response.headers(), permit.window, refused);
        if refused || usage.window.is_some() || usage.read_window.is_some() {
            self.quota.learn(permit, usage).await;
        }
    }
}

#[async_trait]
impl ActivityPages for StravaClient {
    async fn page(
        &self,
        errand: &Errand,
        token: &SecretString,
        query: PageQuery,
    ) -> Result<Page, StravaError> {
        let mut failures = 0;
        loop {
            let error = match self.call(errand, token, query).await {
                Ok(page) => {
                    self.budget.deposit();
                    return Ok(page);
                }
                // Nobody gets a permit before the window that was refused has ended.
                Err(StravaError::RateLimited) => continue,
                Err(error) => error,
            };
            // A list may be asked for twice. What took long is left to the job's next delivery,
            // so that a slow Strava does not hold a slot for three timeouts.
            failures += 1;
            let repeats = error.may_pass_soon() && self.budget.withdraw();
            if !repeats || failures >= self.attempts {
                return Err(error);
            }
            tokio::time::sleep(full_jitter(failures)).await;
        }
    }
}

/// SHA-256 of a token, by which the api knows which one Strava has rejected.
#[must_use]
pub fn token_digest(token: &SecretString) -> Vec<u8> {
    Sha256::digest(token.expose_secret().as_bytes()).to_vec()
}

async fn body(response: Response) -> Result<Vec<u8>, StravaError> {
    Ok(read_body(response, MAX_ANSWER).await?)
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
