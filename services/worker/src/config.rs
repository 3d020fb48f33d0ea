//! What can be set. Every key can be given in a file or in the environment: `peers.api.token` is
//! `WORKER__PEERS__API__TOKEN` there.

use std::time::Duration;

use serde::Deserialize;
use treaty_nats::NatsConfig;
use treaty_service::{ConfigError, HealthConfig, LogConfig, ServiceConfig, Validate};
use treaty_temporal::{ScheduleSpec, TemporalConfig, WorkerConfig};
use worker_port::Peers;

use crate::workflows::DEFAULT_PAGE_SIZE;

/// Most athletes that the api lists at a time.
pub const MAX_PAGE_SIZE: i32 = 1000;

/// Most publishers: more only wait for each other.
pub const MAX_PUBLISHERS: usize = 1000;

/// The shortest time that Temporal makes up for missed starts.
const LEAST_CATCHUP_WINDOW: Duration = Duration::from_secs(10);

/// What a shutdown may take after the activities have stopped.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(3);

/// Configuration of the worker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// NATS, which the jobs go to.
    #[serde(default)]
    pub nats: NatsConfig,
    /// Temporal, which keeps the schedule.
    pub temporal: TemporalConfig,
    /// The services that this one calls: `peers.api.address` and `peers.api.token`.
    pub peers: Peers,
    /// When jobs are dispatched.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// Publishers that work at the same time, 1 to 1000.
    #[serde(default = "Config::default_publishers")]
    pub publishers: usize,
    /// How much runs at the same time, and how long a shutdown waits for it.
    #[serde(default)]
    pub worker: WorkerConfig,
    /// Where `/livez` and `/readyz` answer.
    #[serde(default)]
    pub health: HealthConfig,
    /// The log.
    #[serde(default)]
    pub log: LogConfig,
}

/// When jobs are dispatched.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Id of the schedule in Temporal. After a change the old schedule goes on until it is deleted.
    pub id: String,
    /// Seconds from one dispatch to the next, counted from the Unix epoch; at least 1.
    pub every_seconds: u64,
    /// Seconds that a dispatch may be late, at random; less than `every_seconds`.
    pub jitter_seconds: u64,
    /// Athletes asked from the api at a time, 1 to 1000.
    pub page_size: i32,
    /// Whether the schedule begins paused where it is new.
    pub paused_on_create: bool,
    /// Whether to dispatch at every start of the worker too.
    pub trigger_on_start: bool,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            id: "stravasync-dispatch".to_owned(),
            every_seconds: 3600,
            jitter_seconds: 0,
            page_size: DEFAULT_PAGE_SIZE,
            paused_on_create: false,
            trigger_on_start: false,
        }
    }
}

impl ScheduleConfig {
    /// The schedule as Temporal is to keep it.
    #[must_use]
    pub fn spec(&self) -> ScheduleSpec {
        let every = Duration::from_secs(self.every_seconds);
        // After an outage one dispatch makes up for all that were missed.
        let spec = ScheduleSpec::every(self.id.clone(), every)
            .with_catchup_window(every.max(LEAST_CATCHUP_WINDOW))
            .with_jitter(Duration::from_secs(self.jitter_seconds));
        if self.paused_on_create { spec.paused() } else { spec }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |key, problem| Err(ConfigError::invalid(key, problem));
        if self.id.trim().is_empty() {
            return invalid("schedule.id", "must not be empty");
        }
        if self.every_seconds == 0 {
            return invalid("schedule.every_seconds", "expected at least 1");
        }
        if self.jitter_seconds >= self.every_seconds {
            return invalid("schedule.jitter_seconds", "expected less than schedule.every_seconds");
        }
        if !(1..=MAX_PAGE_SIZE).contains(&self.page_size) {
            return invalid("schedule.page_size", "expected 1 to 1000");
        }
        Ok(())
    }
}

impl Config {
    fn default_publishers() -> usize {
        10
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<(), ConfigError> {
        self.schedule.validate()?;
        if !(1..=MAX_PUBLISHERS).contains(&self.publishers) {
            return Err(ConfigError::invalid("publishers", "expected 1 to 1000"));
        }
        let at_least_one = [
            ("worker.max_concurrent_activities", self.worker.max_concurrent_activities),
            ("worker.max_concurrent_workflow_tasks", self.worker.max_concurrent_workflow_tasks),
        ];
        match at_least_one.into_iter().find(|(_, number)| *number == 0) {
            Some((key, _)) => Err(ConfigError::invalid(key, "expected at least 1")),
            None => Ok(()),
        }
    }
}

impl ServiceConfig for Config {
    fn log(&self) -> &LogConfig {
        &self.log
    }

    fn shutdown_grace(&self) -> Duration {
        self.worker.shutdown_bound() + SHUTDOWN_MARGIN
    }
}

#[cfg(test)]
mod tests {
    use treaty_service::config::load_from;

    use super::*;

    const LEAST: [(&str, &str); 3] = [
        ("WORKER__TEMPORAL__ADDRESS", "temporal:7233"),
        ("WORKER__PEERS__API__ADDRESS", "api:9233"),
        ("WORKER__PEERS__API__TOKEN", "hunter2-worker-token"),
    ];

    fn load(extra: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let pairs = LEAST.iter().chain(extra);
        load_from("worker", None, pairs.map(|(key, value)| ((*key).into(), (*value).into())))
    }

    #[test]
    fn the_least_configuration_is_complete_and_shows_no_secret() {
        let config = load(&[]).unwrap();
        assert_eq!(config.peers.api.addresses, ["api:9233"]);
        assert_eq!(config.schedule.spec().every, Duration::from_secs(3600));
        assert_eq!((config.publishers, config.schedule.page_size), (10, 500));
        assert!(config.shutdown_grace() > config.worker.shutdown_bound());
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn the_environment_reaches_every_part() {
        let config = load(&[
            ("WORKER__NATS__URL", "nats://nats:4222"),
            ("WORKER__SCHEDULE__EVERY_SECONDS", "5"),
            ("WORKER__SCHEDULE__JITTER_SECONDS", "1"),
            ("WORKER__SCHEDULE__PAUSED_ON_CREATE", "true"),
            ("WORKER__WORKER__DRAIN_SECONDS", "7"),
            ("WORKER__HEALTH__LISTEN", "127.0.0.1:0"),
            ("WORKER__HEALTH__ADDRESS_FILE", "/run/worker.address"),
        ])
        .unwrap();
        let spec = config.schedule.spec();
        assert_eq!(config.nats.url, "nats://nats:4222");
        assert_eq!(
            (spec.every, spec.jitter),
            (Duration::from_secs(5), Some(Duration::from_secs(1)))
        );
        assert_eq!(spec.catchup_window, Some(LEAST_CATCHUP_WINDOW));
        assert!(spec.start_paused);
        assert_eq!(config.worker.drain_seconds, 7);
        assert_eq!(config.health.listen.port(), 0);
        assert!(config.health.address_file.is_some());
    }

    #[test]
    fn keys_that_cannot_work_are_named() {
        for (variable, value, key) in [
            ("WORKER__SCHEDULE__ID", " ", "schedule.id"),
            ("WORKER__SCHEDULE__EVERY_SECONDS", "0", "schedule.every_seconds"),
            ("WORKER__SCHEDULE__EVERY_SECONDS", "hourly", "schedule.every_seconds"),
            ("WORKER__SCHEDULE__JITTER_SECONDS", "3600", "schedule.jitter_seconds"),
            ("WORKER__SCHEDULE__PAGE_SIZE", "1001", "schedule.page_size"),
            ("WORKER__PUBLISHERS", "0", "publishers"),
            ("WORKER__WORKER__MAX_CONCURRENT_ACTIVITIES", "0", "worker.max_concurrent_activities"),
            ("WORKER__SCHEDULE__EVERY", "1", "schedule.every"),
        ] {
            assert_eq!(load(&[(variable, value)]).unwrap_err().key(), Some(key), "{value}");
        }
    }
}
