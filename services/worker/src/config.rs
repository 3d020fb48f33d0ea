//! What can be set. Every key can be given in a file or in the environment: `peers.api.token` is
//! `WORKER__PEERS__API__TOKEN` there.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::Deserialize;
use treaty_nats::NatsConfig;
use treaty_service::{ConfigError, ListenConfig, LogConfig, ServiceConfig, Validate};
use treaty_temporal::{ScheduleSpec, TemporalConfig, WorkerConfig};
use worker_port::Peers;

/// Configuration of the worker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// NATS, which the jobs go to.
    #[serde(default)]
    pub nats: NatsConfig,
    /// Temporal.
    pub temporal: TemporalConfig,
    /// The services that this one calls: `peers.api.address` and `peers.api.token`.
    pub peers: Peers,
    /// When syncs are dispatched.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// How workflows and activities are run.
    #[serde(default)]
    pub worker: WorkerConfig,
    /// Jobs that are published at the same time.
    #[serde(default = "Config::default_publishers")]
    pub publishers: usize,
    /// Where `/livez` and `/readyz` answer.
    #[serde(default = "Config::default_health")]
    pub health: ListenConfig,
    /// The log.
    #[serde(default)]
    pub log: LogConfig,
}

/// When syncs are dispatched.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Id of the schedule at Temporal.
    pub id: String,
    /// Seconds from one dispatch to the next.
    pub every_seconds: u64,
    /// Seconds by which a dispatch is put off at most, at random.
    pub jitter_seconds: u64,
    /// Athletes asked from the api at a time, 1 to 1000.
    pub page_size: i32,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            id: "stravasync-dispatch".to_owned(),
            every_seconds: 3600,
            jitter_seconds: 0,
            page_size: 500,
        }
    }
}

impl ScheduleConfig {
    /// What Temporal is told. A dispatch that is still running skips the next one.
    #[must_use]
    pub fn spec(&self) -> ScheduleSpec {
        let spec = ScheduleSpec::every(&self.id, Duration::from_secs(self.every_seconds))
            .with_note("Dispatches one sync for each connected athlete.");
        match self.jitter_seconds {
            0 => spec,
            seconds => spec.with_jitter(Duration::from_secs(seconds)),
        }
    }
}

impl Config {
    fn default_publishers() -> usize {
        10
    }

    fn default_health() -> ListenConfig {
        ListenConfig::new((Ipv4Addr::UNSPECIFIED, 8081).into())
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<(), ConfigError> {
        if self.schedule.id.is_empty() {
            return Err(ConfigError::invalid("schedule.id", "expected a name"));
        }
        if self.schedule.every_seconds == 0 {
            return Err(ConfigError::invalid("schedule.every_seconds", "expected at least 1"));
        }
        if !(1..=1000).contains(&self.schedule.page_size) {
            return Err(ConfigError::invalid("schedule.page_size", "expected 1 to 1000"));
        }
        if self.publishers == 0 {
            return Err(ConfigError::invalid("publishers", "expected at least 1"));
        }
        Ok(())
    }
}

impl ServiceConfig for Config {
    fn log(&self) -> &LogConfig {
        &self.log
    }

    fn shutdown_grace(&self) -> Duration {
        self.worker.shutdown_bound() + Duration::from_secs(5)
    }
}

#[cfg(test)]
mod tests {
    use treaty_service::config::load_from;

    use super::*;

    const LEAST: [(&str, &str); 3] = [
        ("WORKER__PEERS__API__ADDRESS", "api:9233"),
        ("WORKER__PEERS__API__TOKEN", "hunter2-worker-token"),
        ("WORKER__TEMPORAL__ADDRESS", "temporal:7233"),
    ];

    fn load(extra: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let pairs = LEAST.iter().chain(extra);
        load_from("worker", None, pairs.map(|(key, value)| ((*key).into(), (*value).into())))
    }

    #[test]
    fn the_least_configuration_is_complete_and_shows_no_secret() {
        let config = load(&[]).unwrap();
        assert_eq!(config.schedule.every_seconds, 3600);
        assert_eq!(config.publishers, 10);
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn keys_that_cannot_work_are_named() {
        for (key, variable, value) in [
            ("schedule.every_seconds", "WORKER__SCHEDULE__EVERY_SECONDS", "0"),
            ("schedule.page_size", "WORKER__SCHEDULE__PAGE_SIZE", "1001"),
            ("publishers", "WORKER__PUBLISHERS", "0"),
        ] {
            assert_eq!(load(&[(variable, value)]).unwrap_err().key(), Some(key));
        }
    }
}
