//! What can be set. Every key can be given in a file or in the environment: `peers.api.token` is
//! `CONSUMER__PEERS__API__TOKEN` there.

use std::time::Duration;

use consumer_port::Peers;
use serde::Deserialize;
use treaty_nats::{HandlersConfig, NatsConfig};
use treaty_service::{
    ConfigError, HealthConfig, LogConfig, MetricsConfig, ServiceConfig, TracesConfig, Validate,
};
use url::Url;

/// Most activities that Strava puts on one page.
pub const MAX_PAGE_SIZE: u32 = 200;

/// Configuration of the consumer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// NATS, which the jobs come from.
    #[serde(default)]
    pub nats: NatsConfig,
    /// How jobs are handled in this process; what the contract says stands there.
    #[serde(default)]
    pub handlers: HandlersConfig,
    /// The services that this one calls: `peers.api.address` and `peers.api.token`.
    pub peers: Peers,
    /// Strava's API.
    #[serde(default)]
    pub strava: StravaConfig,
    /// The sync of one athlete.
    #[serde(default)]
    pub sync: SyncConfig,
    /// Where `/livez` and `/readyz` answer.
    #[serde(default)]
    pub health: HealthConfig,
    /// Where `/metrics` answers.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// Where traces go.
    #[serde(default)]
    pub traces: TracesConfig,
    /// The log.
    #[serde(default)]
    pub log: LogConfig,
    /// Seconds that a shutdown waits for jobs in work. They get `handlers.drain_grace_seconds` to
    /// finish before they are given back, so it should be some seconds more than that.
    #[serde(default = "Config::default_shutdown_grace_seconds")]
    pub shutdown_grace_seconds: u64,
}

/// Strava's API.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StravaConfig {
    /// Address below which `/api/v3` is.
    pub api_base_url: Url,
    /// Activities asked for at a time, 1 to 200.
    pub page_size: u32,
    /// Seconds until a connection must be made.
    pub connect_timeout_seconds: u64,
    /// Seconds of silence after which an answer is given up.
    pub read_timeout_seconds: u64,
    /// Seconds until a whole answer must be there.
    pub timeout_seconds: u64,
    /// Calls for one page, the repeats included, when they fail at once.
    pub attempts: u32,
}

impl Default for StravaConfig {
    fn default() -> Self {
        #[allow(clippy::expect_used, reason = "a constant, which a test parses")]
        let api_base_url = Url::parse("https://www.strava.com").expect("a valid address");
        Self {
            api_base_url,
            page_size: MAX_PAGE_SIZE,
            connect_timeout_seconds: 5,
            read_timeout_seconds: 10,
            timeout_seconds: 30,
            attempts: 3,
        }
    }
}

/// The sync of one athlete.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncConfig {
    /// Seconds that each page may take, from Strava, where waiting for its quota does not count, and
    /// again to the api.
    pub deadline_seconds: u64,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self { deadline_seconds: 120 }
    }
}

impl SyncConfig {
    /// How long each page may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }
}

impl Config {
    fn default_shutdown_grace_seconds() -> u64 {
        25
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<(), ConfigError> {
        let strava = &self.strava;
        let base = &strava.api_base_url;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(ConfigError::invalid("strava.api_base_url", "expected an http(s) address"));
        }
        if !(1..=MAX_PAGE_SIZE).contains(&strava.page_size) {
            return Err(ConfigError::invalid("strava.page_size", "expected 1 to 200"));
        }
        let at_least_one = [
            ("strava.connect_timeout_seconds", strava.connect_timeout_seconds),
            ("strava.read_timeout_seconds", strava.read_timeout_seconds),
            ("strava.timeout_seconds", strava.timeout_seconds),
            ("strava.attempts", strava.attempts.into()),
            ("sync.deadline_seconds", self.sync.deadline_seconds),
            ("shutdown_grace_seconds", self.shutdown_grace_seconds),
        ];
        match at_least_one.into_iter().find(|(_, seconds)| *seconds == 0) {
            Some((key, _)) => Err(ConfigError::invalid(key, "expected at least 1")),
            None => Ok(()),
        }
    }
}

impl ServiceConfig for Config {
    fn log(&self) -> &LogConfig {
        &self.log
    }

    fn traces(&self) -> &TracesConfig {
        &self.traces
    }

    fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }
}

#[cfg(test)]
mod tests {
    use treaty_service::config::load_from;

    use super::*;

    const LEAST: [(&str, &str); 2] = [
        ("CONSUMER__PEERS__API__ADDRESS", "api:9233"),
        ("CONSUMER__PEERS__API__TOKEN", "hunter2-consumer-token"),
    ];

    fn load(extra: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let pairs = LEAST.iter().chain(extra);
        load_from("consumer", None, pairs.map(|(key, value)| ((*key).into(), (*value).into())))
    }

    #[test]
    fn the_least_configuration_is_complete_and_shows_no_secret() {
        let config = load(&[]).unwrap();
        assert_eq!(config.strava.api_base_url.as_str(), "https://www.strava.com/");
        assert_eq!(config.strava.page_size, 200);
        assert_eq!(config.peers.api.addresses, ["api:9233"]);
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn the_environment_reaches_every_part() {
        let config = load(&[
            ("CONSUMER__NATS__URL", "nats://nats:4222"),
            ("CONSUMER__STRAVA__API_BASE_URL", "http://127.0.0.1:8090"),
            ("CONSUMER__STRAVA__PAGE_SIZE", "30"),
            ("CONSUMER__HEALTH__LISTEN", "127.0.0.1:0"),
            ("CONSUMER__HEALTH__ADDRESS_FILE", "/run/consumer.address"),
        ])
        .unwrap();
        assert_eq!(config.nats.url, "nats://nats:4222");
        assert_eq!(config.strava.page_size, 30);
        assert_eq!(config.health.listen.port(), 0);
        assert!(config.health.address_file.is_some());
    }

    #[test]
    fn keys_that_cannot_work_are_named() {
        for (variable, value, key) in [
            ("CONSUMER__STRAVA__API_BASE_URL", "ftp://strava", "strava.api_base_url"),
            ("CONSUMER__STRAVA__API_BASE_URL", "strava", "strava.api_base_url"),
            ("CONSUMER__STRAVA__PAGE_SIZE", "201", "strava.page_size"),
            ("CONSUMER__STRAVA__PAGE_SIZE", "many", "strava.page_size"),
            ("CONSUMER__STRAVA__TIMEOUT_SECONDS", "0", "strava.timeout_seconds"),
            ("CONSUMER__STRAVA__ATTEMPTS", "0", "strava.attempts"),
            ("CONSUMER__SYNC__DEADLINE_SECONDS", "0", "sync.deadline_seconds"),
            ("CONSUMER__STRAVA__PAGESIZE", "1", "strava.pagesize"),
        ] {
            assert_eq!(load(&[(variable, value)]).unwrap_err().key(), Some(key), "{value}");
        }
    }
}
