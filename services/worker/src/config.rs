//! What can be set. Every key can be given in a file or in the environment: `peers.api.token` is
//! `WORKER__PEERS__API__TOKEN` there.

use std::time::Duration;

use serde::Deserialize;
use treaty_nats::NatsConfig;
use treaty_service::{
    ConfigError, HealthConfig, LogConfig, MetricsConfig, ServiceConfig, TracesConfig, Validate,
};
use treaty_temporal::{TemporalConfig, WorkerConfig};
use worker_port::Peers;

pub use crate::schedules::{ReconcileConfig, ScheduleConfig};

/// Most publishers: more only wait for each other.
pub const MAX_PUBLISHERS: usize = 1000;

/// What a shutdown may take after the activities have stopped.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(3);

/// Configuration of the worker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// NATS, which the jobs go to.
    #[serde(default)]
    pub nats: NatsConfig,
    /// Temporal, which keeps the schedules.
    pub temporal: TemporalConfig,
    /// The services that this one calls: `peers.api.address` and `peers.api.token`.
    pub peers: Peers,
    /// When each connected athlete gets a job.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// When athletes who have not been synced for too long get one.
    #[serde(default)]
    pub reconcile: ReconcileConfig,
    /// Publishers that work at the same time, 1 to 1000.
    #[serde(default = "Config::default_publishers")]
    pub publishers: usize,
    /// How much runs at the same time, and how long a shutdown waits for it.
    #[serde(default)]
    pub worker: WorkerConfig,
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
}

impl Config {
    fn default_publishers() -> usize {
        10
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<(), ConfigError> {
        self.schedule.validate()?;
        self.reconcile.validate()?;
        if self.schedule.spec().id == self.reconcile.spec().id {
            let problem = "is the id of the schedule of dispatches";
            return Err(ConfigError::invalid("reconcile.schedule.id", problem));
        }
        if !(1..=MAX_PUBLISHERS).contains(&self.publishers) {
            return Err(ConfigError::invalid("publishers", "expected 1 to 1000"));
        }
        if let Some(deployment) = &self.worker.deployment {
            let checked = deployment.check();
            checked.map_err(|(key, problem)| {
                ConfigError::invalid(format!("worker.deployment.{key}"), problem)
            })?;
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

    fn traces(&self) -> &TracesConfig {
        &self.traces
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
        assert_eq!((config.publishers, config.schedule.input().page_size), (10, 500));
        let daily = config.reconcile.spec();
        assert_eq!(daily.every, Duration::from_secs(86_400));
        assert_ne!(daily.id, config.schedule.spec().id);
        assert!(config.temporal.register_search_attributes);
        assert!(config.shutdown_grace() > config.worker.shutdown_bound());
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn the_environment_reaches_every_part() {
        let config = load(&[
            ("WORKER__NATS__URL", "nats://nats:4222"),
            ("WORKER__TEMPORAL__REGISTER_SEARCH_ATTRIBUTES", "false"),
            ("WORKER__SCHEDULE__EVERY_SECONDS", "5"),
            ("WORKER__SCHEDULE__JITTER_SECONDS", "1"),
            ("WORKER__SCHEDULE__PAUSED_ON_CREATE", "true"),
            ("WORKER__RECONCILE__SCHEDULE__PAUSED", "true"),
            ("WORKER__RECONCILE__NOT_SYNCED_FOR_SECONDS", "60"),
            ("WORKER__RECONCILE__FULL", "true"),
            ("WORKER__WORKER__DRAIN_SECONDS", "7"),
            ("WORKER__WORKER__DEPLOYMENT__NAME", "dispatch"),
            ("WORKER__WORKER__DEPLOYMENT__BUILD_ID", "v7"),
            ("WORKER__WORKER__DEPLOYMENT__OPEN_WORKFLOWS", "move"),
            ("WORKER__HEALTH__LISTEN", "127.0.0.1:0"),
            ("WORKER__HEALTH__ADDRESS_FILE", "/run/worker.address"),
        ])
        .unwrap();
        let spec = config.schedule.spec();
        assert_eq!(config.nats.url, "nats://nats:4222");
        assert!(!config.temporal.register_search_attributes);
        let second = Duration::from_secs(1);
        assert_eq!((spec.every, spec.jitter), (5 * second, Some(second)));
        assert!(spec.start_paused);
        assert_eq!(config.reconcile.spec().paused, Some(true));
        let input = config.reconcile.input();
        assert_eq!((input.not_synced_for_seconds, input.full), (60, true));
        assert_eq!(config.worker.drain_seconds, 7);
        let deployment = config.worker.deployment.unwrap();
        assert_eq!(
            (deployment.name.as_str(), deployment.build_id.as_deref()),
            ("dispatch", Some("v7"))
        );
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
            ("WORKER__SCHEDULE__OFFSET_SECONDS", "3600", "schedule.offset_seconds"),
            ("WORKER__SCHEDULE__CATCHUP_SECONDS", "9", "schedule.catchup_seconds"),
            ("WORKER__SCHEDULE__PAGE_SIZE", "1001", "schedule.page_size"),
            ("WORKER__SCHEDULE__PAGES_PER_ACTIVITY", "0", "schedule.pages_per_activity"),
            ("WORKER__SCHEDULE__ACTIVITIES_PER_RUN", "2001", "schedule.activities_per_run"),
            ("WORKER__RECONCILE__SCHEDULE__PAGE_SIZE", "0", "reconcile.schedule.page_size"),
            ("WORKER__RECONCILE__SCHEDULE__ID", "stravasync-dispatch", "reconcile.schedule.id"),
            ("WORKER__RECONCILE__NOT_SYNCED_FOR_SECONDS", "0", "reconcile.not_synced_for_seconds"),
            ("WORKER__PUBLISHERS", "0", "publishers"),
            ("WORKER__WORKER__MAX_CONCURRENT_ACTIVITIES", "0", "worker.max_concurrent_activities"),
            ("WORKER__WORKER__DEPLOYMENT__NAME", "a.b", "worker.deployment.name"),
            ("WORKER__SCHEDULE__EVERY", "1", "schedule.every"),
        ] {
            assert_eq!(load(&[(variable, value)]).unwrap_err().key(), Some(key), "{value}");
        }
    }
}
