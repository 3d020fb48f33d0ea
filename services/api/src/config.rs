//! What can be set. Every key can be given in a file or in the environment: `database.url` is
//! `API__DATABASE__URL` there.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use treaty_http::{GatewayConfig, HttpServerConfig};
use treaty_nats::NatsConfig;
use treaty_rpc::{AuthConfig, GrpcServerConfig, MIN_TOKEN_BYTES};
use treaty_service::{ConfigError, ListenConfig, LogConfig, ServiceConfig, Validate};
use url::Url;

use crate::connections::ConnectionsSettings;
use crate::quota::QuotaSettings;
use crate::sync::SyncSettings;

/// Configuration of the api.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP and JSON side.
    #[serde(default)]
    pub http: HttpConfig,
    /// The gRPC side.
    #[serde(default)]
    pub grpc: GrpcConfig,
    /// Postgres.
    pub database: DatabaseConfig,
    /// Whether to bring the schema up to date before serving. Otherwise `api migrate` does it.
    #[serde(default)]
    pub migrate_on_start: bool,
    /// NATS.
    #[serde(default)]
    pub nats: NatsConfig,
    /// Strava.
    pub strava: StravaConfig,
    /// Strava's quota, shared by all processes.
    #[serde(default)]
    pub quota: QuotaConfig,
    /// Tokens by which other services prove themselves.
    pub callers: CallersConfig,
    /// Token by which operators prove themselves.
    pub operator_token: SecretString,
    /// The relay of the outbox.
    #[serde(default)]
    pub outbox: OutboxConfig,
    /// Syncs.
    #[serde(default)]
    pub sync: SyncConfig,
    /// The log.
    #[serde(default)]
    pub log: LogConfig,
    /// Seconds that a shutdown waits for requests and messages in work.
    #[serde(default = "Config::default_shutdown_grace_seconds")]
    pub shutdown_grace_seconds: u64,
}

/// The part of the configuration that `api migrate` reads; the rest may be there or not.
#[derive(Clone, Debug, Deserialize)]
pub struct MigrateConfig {
    /// Postgres.
    pub database: DatabaseConfig,
    /// The log.
    #[serde(default)]
    pub log: LogConfig,
}

impl Validate for MigrateConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// The HTTP and JSON side.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File to write the address to once it is known.
    pub address_file: Option<PathBuf>,
    /// Directory of generated documents to serve under `/docs/`, `/openapi/` and `/asyncapi/`;
    /// for development.
    pub documents: Option<PathBuf>,
    /// How requests are bounded.
    pub gateway: GatewayConfig,
    /// How the server ends.
    pub server: HttpServerConfig,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, 8080).into(),
            address_file: None,
            documents: None,
            gateway: GatewayConfig::default(),
            server: HttpServerConfig::default(),
        }
    }
}

/// The gRPC side.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File to write the address to once it is known.
    pub address_file: Option<PathBuf>,
    /// How the server protects itself.
    pub server: GrpcServerConfig,
}

impl HttpConfig {
    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> ListenConfig {
        ListenConfig { listen: self.listen, address_file: self.address_file.clone() }
    }
}

impl GrpcConfig {
    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> ListenConfig {
        ListenConfig { listen: self.listen, address_file: self.address_file.clone() }
    }
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, 9233).into(),
            address_file: None,
            server: GrpcServerConfig::default(),
        }
    }
}

/// Postgres.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host:port/database`.
    pub url: SecretString,
    /// Most connections of this process; at least 4.
    #[serde(default = "DatabaseConfig::default_max_connections")]
    pub max_connections: u32,
    /// Seconds that a request waits for one of them.
    #[serde(default = "DatabaseConfig::default_acquire_timeout_seconds")]
    pub acquire_timeout_seconds: u64,
    /// Seconds that a start waits for Postgres.
    #[serde(default = "DatabaseConfig::default_timeout_seconds")]
    pub connect_timeout_seconds: u64,
    /// Seconds after which Postgres gives up a statement; 0 for never.
    #[serde(default = "DatabaseConfig::default_timeout_seconds")]
    pub statement_timeout_seconds: u64,
}

impl DatabaseConfig {
    /// Fewest connections that let everything go on: one listens for the outbox, one relays it,
    /// one may wait for Strava, one serves.
    pub const LEAST_CONNECTIONS: u32 = 4;

    fn default_max_connections() -> u32 {
        16
    }

    fn default_acquire_timeout_seconds() -> u64 {
        5
    }

    fn default_timeout_seconds() -> u64 {
        30
    }
}

/// Strava's OAuth side.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StravaConfig {
    /// Address below which `/oauth/authorize` and `/oauth/token` are.
    #[serde(default = "StravaConfig::default_oauth_base_url")]
    pub oauth_base_url: Url,
    /// Identifier of our application.
    pub client_id: String,
    /// Secret of our application.
    pub client_secret: SecretString,
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
    fn default_oauth_base_url() -> Url {
        #[allow(clippy::expect_used)] // A constant, which a test parses.
        Url::parse("https://www.strava.com").expect("a valid address")
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

/// Strava's quota, shared by all processes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaConfig {
    /// Share of each limit, in percent, that is kept for what somebody waits for; at most 90.
    pub reserve_percent: u32,
    /// Milliseconds before and after each turn of a window in which nobody calls, because Strava's
    /// clock is not ours.
    pub margin_milliseconds: u32,
    /// Length of the short window in seconds. Strava's is 900; shorter is for a simulator.
    pub window_seconds: u32,
    /// Length of the long window in seconds. Strava's is 86400; shorter is for a simulator.
    pub day_seconds: u32,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            reserve_percent: 10,
            margin_milliseconds: 2_000,
            window_seconds: 900,
            day_seconds: 86_400,
        }
    }
}

impl QuotaConfig {
    /// How long others wait for the first answer of a window.
    const PROBE_PATIENCE: TimeDelta = TimeDelta::seconds(2);
    /// The same after a refusal: longer than a call with all its repeats.
    const WARY_PATIENCE: TimeDelta = TimeDelta::seconds(120);

    /// What the rules need.
    #[must_use]
    pub fn settings(&self) -> QuotaSettings {
        QuotaSettings {
            window: TimeDelta::seconds(self.window_seconds.into()),
            day: TimeDelta::seconds(self.day_seconds.into()),
            margin: TimeDelta::milliseconds(self.margin_milliseconds.into()),
            reserve_percent: self.reserve_percent,
            probe_patience: Self::PROBE_PATIENCE,
            wary_patience: Self::WARY_PATIENCE,
        }
    }

    fn problems(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let Self { reserve_percent, margin_milliseconds, window_seconds, day_seconds } = *self;
        // Two margins and something between them.
        let margins = u64::from(margin_milliseconds) * 2;
        [
            (reserve_percent <= 90, "quota.reserve_percent", "at most 90"),
            (window_seconds > 0, "quota.window_seconds", "at least 1"),
            (
                margins < u64::from(window_seconds) * 1000,
                "quota.margin_milliseconds",
                "less than half of quota.window_seconds",
            ),
            (
                day_seconds > 0 && day_seconds.checked_rem(window_seconds) == Some(0),
                "quota.day_seconds",
                "a multiple of quota.window_seconds",
            ),
        ]
        .into_iter()
        .filter(|(valid, _, _)| !valid)
        .map(|(_, key, expected)| (key, expected))
    }
}

/// Tokens by which other services prove themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallersConfig {
    /// Token of the consumer.
    pub consumer: SecretString,
    /// Token of the worker.
    pub worker: SecretString,
}

/// The relay of the outbox.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxConfig {
    /// Messages published at a time.
    pub batch: u32,
    /// Seconds after which it looks without having been told to.
    pub poll_seconds: u64,
    /// Seconds that a published message is kept for people to look at.
    pub keep_published_seconds: u32,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        Self { batch: 200, poll_seconds: 5, keep_published_seconds: 7 * 24 * 3600 }
    }
}

/// Syncs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncConfig {
    /// Seconds without a sign of life after which another sync of the athlete may take over.
    pub lease_seconds: u32,
    /// Seconds before what is known that a sync asks for once more, because activities are uploaded
    /// late.
    pub overlap_seconds: u32,
    /// Seconds between two looks for syncs that never ended although others wait for them.
    pub orphans_seconds: u64,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self { lease_seconds: 60, overlap_seconds: 7 * 24 * 3600, orphans_seconds: 30 }
    }
}

impl SyncConfig {
    /// What the rules are told.
    #[must_use]
    pub fn settings(&self) -> SyncSettings {
        SyncSettings {
            lease_time: Duration::from_secs(self.lease_seconds.into()),
            overlap: Duration::from_secs(self.overlap_seconds.into()),
        }
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<(), ConfigError> {
        match self.problems().first() {
            None => Ok(()),
            Some((key, expected)) => {
                Err(ConfigError::invalid(*key, format!("expected {expected}")))
            }
        }
    }
}

impl ServiceConfig for Config {
    fn log(&self) -> &LogConfig {
        &self.log
    }

    fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }
}

impl Config {
    fn default_shutdown_grace_seconds() -> u64 {
        30
    }

    /// Keys whose values cannot work, each with what is expected. Types and missing keys are
    /// checked before.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut problems = Vec::new();
        let mut require = |valid: bool, key, expected| {
            if !valid {
                problems.push((key, expected));
            }
        };
        let documents = self.http.documents.as_ref();
        require(
            documents.is_none_or(|directory| directory.join("docs/index.html").is_file()),
            "http.documents",
            "a directory that the generator has written, with docs/index.html in it",
        );
        let connections = self.database.max_connections;
        require(
            connections >= DatabaseConfig::LEAST_CONNECTIONS,
            "database.max_connections",
            "at least 4",
        );
        require(
            self.database.acquire_timeout_seconds > 0,
            "database.acquire_timeout_seconds",
            "at least 1",
        );
        require(
            is_http(&self.strava.oauth_base_url),
            "strava.oauth_base_url",
            "an http(s) address",
        );
        require(is_http(&self.strava.redirect_url), "strava.redirect_url", "an http(s) address");
        require(!self.strava.client_id.is_empty(), "strava.client_id", "not an empty text");
        require(self.strava.timeout_seconds > 0, "strava.timeout_seconds", "at least 1");
        let tokens = [
            ("callers.consumer", &self.callers.consumer),
            ("callers.worker", &self.callers.worker),
            ("operator_token", &self.operator_token),
        ];
        for (index, (key, token)) in tokens.iter().enumerate() {
            let text = token.expose_secret();
            let earlier = tokens.iter().take(index);
            let shared = earlier.into_iter().any(|(_, other)| other.expose_secret() == text);
            require(text.len() >= MIN_TOKEN_BYTES, key, "at least 16 bytes");
            require(!shared, key, "a token of its own, equal to no other's");
        }
        require(self.outbox.batch > 0, "outbox.batch", "at least 1");
        require(self.outbox.poll_seconds > 0, "outbox.poll_seconds", "at least 1");
        // A consumer renews a lease three times before it ends.
        require(self.sync.lease_seconds >= 3, "sync.lease_seconds", "at least 3");
        require(self.sync.orphans_seconds > 0, "sync.orphans_seconds", "at least 1");
        problems.extend(self.quota.problems());
        problems
    }

    /// What proves callers.
    #[must_use]
    pub fn auth(&self) -> AuthConfig {
        AuthConfig {
            deployables: BTreeMap::from([
                ("consumer".to_owned(), self.callers.consumer.clone()),
                ("worker".to_owned(), self.callers.worker.clone()),
            ]),
            operator: Some(self.operator_token.clone()),
        }
    }

    /// What the rules about connections need.
    #[must_use]
    pub fn connections(&self) -> ConnectionsSettings {
        let quarter = self.database.max_connections / DatabaseConfig::LEAST_CONNECTIONS;
        ConnectionsSettings {
            consent_lifetime: Duration::from_secs(self.strava.consent_lifetime_seconds),
            least_lifetime: Duration::from_secs(self.strava.least_lifetime_seconds),
            concurrent_refreshes: usize::try_from(quarter).unwrap_or(1),
        }
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> serde_json::Value {
        serde_json::json!({
            "database": {"url": "postgres://u:hunter2@h/d"},
            "strava": {
                "client_id": "1", "client_secret": "hunter2",
                "redirect_url": "https://example.org/v1/strava/callback",
            },
            "callers": {"consumer": "hunter2-consumer-token", "worker": "hunter2-worker-token"},
            "operator_token": "hunter2-operator-token",
        })
    }

    #[test]
    fn the_least_configuration_is_complete_and_shows_no_secret() {
        let config: Config = serde_json::from_value(config()).unwrap();
        assert_eq!(config.problems(), []);
        assert_eq!(config.http.listen.port(), 8080);
        assert_eq!(config.grpc.listen.port(), 9233);
        assert_eq!(config.strava.oauth_base_url.as_str(), "https://www.strava.com/");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn keys_that_cannot_work_are_named() {
        let mut value = config();
        value["database"]["max_connections"] = 1.into();
        value["strava"]["redirect_url"] = "mailto:ada@example.org".into();
        let config: Config = serde_json::from_value(value).unwrap();
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["database.max_connections", "strava.redirect_url"]);
    }

    #[test]
    fn a_quota_that_cannot_work_is_named() {
        for (quota, key) in [
            (serde_json::json!({"reserve_percent": 91}), "quota.reserve_percent"),
            (serde_json::json!({"window_seconds": 4}), "quota.margin_milliseconds"),
            (serde_json::json!({"day_seconds": 1000}), "quota.day_seconds"),
        ] {
            let mut value = config();
            value["quota"] = quota;
            let config: Config = serde_json::from_value(value).unwrap();
            let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
            assert_eq!(keys, [key]);
        }
    }

    #[test]
    fn tokens_that_can_be_guessed_or_are_shared_are_named() {
        let mut value = config();
        value["callers"]["worker"] = "short".into();
        value["operator_token"] = value["callers"]["consumer"].clone();
        let config: Config = serde_json::from_value(value).unwrap();
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["callers.worker", "operator_token"]);
    }

    #[test]
    fn unknown_and_missing_keys_are_refused() {
        let mut value = config();
        value["http"] = serde_json::json!({"lisen": "0.0.0.0:1"});
        assert!(serde_json::from_value::<Config>(value).unwrap_err().to_string().contains("lisen"));
        let mut value = config();
        value.as_object_mut().unwrap().remove("operator_token");
        let error = serde_json::from_value::<Config>(value).unwrap_err().to_string();
        assert!(error.contains("operator_token"), "{error}");
    }
}
