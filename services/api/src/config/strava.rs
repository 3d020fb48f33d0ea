//! Strava's OAuth side.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use treaty_fetch::FetchConfig;
use treaty_secrets::SecretPath;
use url::Url;

use super::{Problem, unmet};

/// Strava's OAuth side.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StravaConfig {
    /// Address below which `/oauth/authorize` and `/oauth/token` are.
    #[serde(default = "StravaConfig::default_oauth_base_url")]
    pub oauth_base_url: Url,
    /// Identifier of our application; empty when it is in the secret store.
    #[serde(default)]
    pub client_id: String,
    /// Secret of our application; empty when it is in the secret store.
    #[serde(default)]
    pub client_secret: SecretString,
    /// Path in the secret store with `STRAVA_CLIENT_ID` and `STRAVA_CLIENT_SECRET`.
    #[serde(default = "StravaConfig::default_credentials")]
    pub credentials: String,
    /// Where Strava sends the browser back to: the public address of `/v1/strava/callback`.
    pub redirect_url: Url,
    /// Seconds that Strava may take for an answer.
    #[serde(default = "StravaConfig::default_timeout_seconds")]
    pub timeout_seconds: u64,
    /// Seconds that an athlete may take to consent.
    #[serde(default = "StravaConfig::default_consent_lifetime_seconds")]
    pub consent_lifetime_seconds: u64,
    /// Seconds that an access token which is handed out still lasts at least.
    #[serde(default = "StravaConfig::default_least_lifetime_seconds")]
    pub least_lifetime_seconds: u64,
}

impl StravaConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        unmet([
            (is_http(&self.oauth_base_url), "strava.oauth_base_url", "an http(s) address"),
            (is_http(&self.redirect_url), "strava.redirect_url", "an http(s) address"),
            (
                self.client_id.is_empty() == self.client_secret.expose_secret().is_empty(),
                "strava.client_id",
                "a text beside strava.client_secret, or neither",
            ),
            (
                SecretPath::new(self.credentials.as_str()).is_ok(),
                "strava.credentials",
                "a path in the secret store",
            ),
            (self.timeout_seconds > 0, "strava.timeout_seconds", "at least 1"),
        ])
    }

    /// How Strava is asked, for tokens as for subscriptions.
    pub(crate) fn fetch(&self) -> FetchConfig {
        let timeout = Duration::from_secs(self.timeout_seconds);
        FetchConfig {
            user_agent: concat!("stravasync-api/", env!("CARGO_PKG_VERSION")),
            connect_timeout: timeout.min(Duration::from_secs(5)),
            silence_timeout: timeout,
            timeout,
        }
    }

    fn default_oauth_base_url() -> Url {
        #[allow(clippy::expect_used)] // A constant, which a test parses.
        Url::parse("https://www.strava.com").expect("a valid address")
    }

    fn default_credentials() -> String {
        "strava-credentials".to_owned()
    }

    fn default_timeout_seconds() -> u64 {
        10
    }

    fn default_consent_lifetime_seconds() -> u64 {
        15 * 60
    }

    fn default_least_lifetime_seconds() -> u64 {
        5 * 60
    }
}

pub(super) fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}
