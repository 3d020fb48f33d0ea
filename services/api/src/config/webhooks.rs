//! Strava's webhook.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use treaty_error::Error;
use url::Url;

use super::strava::is_http;
use super::{Problem, unmet};
use crate::webhooks::{CALLBACK_PATH, InboxSettings};

/// Strava's webhook.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Last part of the callback's path. Events are not signed: who does not know it cannot send any.
    pub path_secret: SecretString,
    /// What Strava repeats to us when it asks whether we want a subscription.
    pub verify_token: SecretString,
    /// Public address of this api, below which the callback is.
    pub public_url: Url,
    /// Address of Strava's API, above `/api/v3/push_subscriptions`.
    #[serde(default = "WebhooksConfig::default_api_base_url")]
    pub api_base_url: Url,
    /// Milliseconds that an event waits for others of the athlete, to become one job with them.
    #[serde(default = "WebhooksConfig::default_gather_milliseconds")]
    pub gather_milliseconds: u64,
    /// Seconds that an event is kept when nothing is left to do, so that one that comes again is
    /// known.
    #[serde(default = "WebhooksConfig::default_keep_seconds")]
    pub keep_seconds: u32,
    /// Seconds that what we have of an athlete is kept after Strava has refused the tokens, when no
    /// withdrawal was told.
    #[serde(default = "WebhooksConfig::default_keep_seconds")]
    pub keep_revoked_seconds: u32,
}

/// A shorter secret could be guessed.
const MIN_SECRET_BYTES: usize = 16;

impl WebhooksConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let path_secret = self.path_secret.expose_secret();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        unmet([
            (
                path_secret.len() >= MIN_SECRET_BYTES && path_secret.bytes().all(plain),
                "webhooks.path_secret",
                "at least 16 letters, digits, - or _",
            ),
            (
                self.verify_token.expose_secret().len() >= MIN_SECRET_BYTES,
                "webhooks.verify_token",
                "at least 16 bytes",
            ),
            (is_http(&self.public_url), "webhooks.public_url", "an http(s) address"),
            (is_http(&self.api_base_url), "webhooks.api_base_url", "an http(s) address"),
            // The third attempt of Strava may come late.
            (self.keep_seconds >= 3600, "webhooks.keep_seconds", "at least 3600"),
            (
                self.gather_milliseconds <= 3_600_000,
                "webhooks.gather_milliseconds",
                "at most 3600000",
            ),
        ])
    }

    /// The address that Strava sends events to.
    ///
    /// # Errors
    /// When there is none, which the validation of the configuration excludes.
    pub fn callback_url(&self) -> Result<Url, Error> {
        let base = self.public_url.as_str().trim_end_matches('/');
        let secret = self.path_secret.expose_secret();
        Url::parse(&format!("{base}{CALLBACK_PATH}/{secret}"))
            .map_err(|_hidden| Error::internal("webhooks.public_url gives no address"))
    }

    /// What the inbox is told.
    #[must_use]
    pub fn settings(&self) -> InboxSettings {
        InboxSettings {
            gather: Duration::from_millis(self.gather_milliseconds),
            keep: Duration::from_secs(self.keep_seconds.into()),
            keep_revoked: Duration::from_secs(self.keep_revoked_seconds.into()),
        }
    }

    fn default_api_base_url() -> Url {
        #[allow(clippy::expect_used)] // A constant, which a test parses.
        Url::parse("https://www.strava.com").expect("a valid address")
    }

    fn default_gather_milliseconds() -> u64 {
        1_000
    }

    fn default_keep_seconds() -> u32 {
        7 * 24 * 3600
    }
}
