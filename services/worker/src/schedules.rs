//! The schedules: what can be set about each, and how they are put to Temporal.

use std::time::Duration;

use serde::Deserialize;
use treaty_error::Error;
use treaty_service::ConfigError;
use treaty_temporal::{ScheduleHandle, ScheduleSpec};
use worker_port::Starters;
use worker_port::sync_v1::{DispatchSyncsRequest, ReconcileSyncsRequest};

use crate::workflows::{
    DEFAULT_ACTIVITIES_PER_RUN, DEFAULT_NOT_SYNCED_FOR, DEFAULT_PAGE_SIZE,
    DEFAULT_PAGES_PER_ACTIVITY,
};

/// Most athletes that the api lists at a time.
pub const MAX_PAGE_SIZE: i32 = 1000;

/// Most activities of a run, by the contract: their events stay well below the server's limit.
pub const MAX_ACTIVITIES_PER_RUN: i32 = 2000;

/// Longest time without a sync that can be asked for, by the contract: ten years.
const MAX_NOT_SYNCED_FOR: u64 = 315_360_000;

/// The shortest time that Temporal makes up for missed starts.
const LEAST_CATCHUP_WINDOW: u64 = 10;

/// A schedule where nothing else is said.
struct Defaults {
    /// The key that its keys stand under.
    key: &'static str,
    id: &'static str,
    every_seconds: u64,
    offset_seconds: u64,
}

const DISPATCH: Defaults =
    Defaults { key: "schedule", id: "stravasync-dispatch", every_seconds: 3600, offset_seconds: 0 };

const RECONCILE: Defaults = Defaults {
    key: "reconcile.schedule",
    id: "stravasync-reconcile",
    every_seconds: 24 * 3600,
    // Away from midnight, when everybody's daily work begins.
    offset_seconds: 3 * 3600 + 17 * 60,
};

/// When a workflow is started, and how it goes through the athletes.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Id of the schedule in Temporal. After a change the old schedule goes on until it is deleted.
    pub id: Option<String>,
    /// Seconds from one start to the next, counted from the Unix epoch; at least 1.
    pub every_seconds: Option<u64>,
    /// Seconds by which the starts are moved from multiples of `every_seconds`, which is more.
    pub offset_seconds: Option<u64>,
    /// Seconds that a start may be late, at random; less than `every_seconds`.
    pub jitter_seconds: u64,
    /// Seconds for which a start that was missed is made up for, at least 10: `every_seconds`, so
    /// that after an outage one start makes up for all.
    pub catchup_seconds: Option<u64>,
    /// Athletes asked from the api at a time, 1 to 1000.
    pub page_size: i32,
    /// Pages that one activity publishes, at least 1.
    pub pages_per_activity: i32,
    /// Activities after which the workflow continues as a new run, 1 to 2000.
    pub activities_per_run: i32,
    /// Pauses the schedule, or resumes it. When absent it stays as it is, so that a pause by hand
    /// outlives restarts.
    pub paused: Option<bool>,
    /// Whether the schedule begins paused where it is new.
    pub paused_on_create: bool,
    /// Whether to start the workflow at every start of the worker too.
    pub trigger_on_start: bool,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            id: None,
            every_seconds: None,
            offset_seconds: None,
            jitter_seconds: 0,
            catchup_seconds: None,
            page_size: DEFAULT_PAGE_SIZE,
            pages_per_activity: DEFAULT_PAGES_PER_ACTIVITY,
            activities_per_run: DEFAULT_ACTIVITIES_PER_RUN,
            paused: None,
            paused_on_create: false,
            trigger_on_start: false,
        }
    }
}

/// When athletes who have not been synced for too long get a job.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReconcileConfig {
    /// When, and how.
    pub schedule: ScheduleConfig,
    /// Seconds without a sync that are too long, at least 1.
    pub not_synced_for_seconds: u64,
    /// Whether the jobs walk the athletes' whole lists.
    pub full: bool,
}

impl Default for ReconcileConfig {
    fn default() -> Self {
        Self {
            schedule: ScheduleConfig::default(),
            not_synced_for_seconds: DEFAULT_NOT_SYNCED_FOR.as_secs(),
            full: false,
        }
    }
}

impl ScheduleConfig {
    /// The schedule of dispatches as Temporal is to keep it.
    #[must_use]
    pub fn spec(&self) -> ScheduleSpec {
        self.spec_of(&DISPATCH)
    }

    /// The input of each dispatch.
    #[must_use]
    pub fn input(&self) -> DispatchSyncsRequest {
        DispatchSyncsRequest {
            page_size: self.page_size,
            pages_per_activity: self.pages_per_activity,
            activities_per_run: self.activities_per_run,
            progress: None,
        }
    }

    /// Checks the schedule of dispatches.
    ///
    /// # Errors
    /// A key cannot work.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_as(&DISPATCH)
    }

    fn spec_of(&self, defaults: &Defaults) -> ScheduleSpec {
        let every = self.every_seconds.unwrap_or(defaults.every_seconds);
        // The default offset is of the default interval.
        let offset = self.offset_seconds.unwrap_or_else(|| defaults.offset_seconds % every.max(1));
        let catchup = self.catchup_seconds.unwrap_or_else(|| every.max(LEAST_CATCHUP_WINDOW));
        let spec = ScheduleSpec::every(self.id_of(defaults), Duration::from_secs(every))
            .with_offset(Duration::from_secs(offset))
            .with_jitter(Duration::from_secs(self.jitter_seconds))
            .with_catchup_window(Duration::from_secs(catchup))
            .with_paused(self.paused);
        if self.paused_on_create { spec.paused() } else { spec }
    }

    fn id_of(&self, defaults: &Defaults) -> String {
        self.id.clone().unwrap_or_else(|| defaults.id.to_owned())
    }

    fn validate_as(&self, defaults: &Defaults) -> Result<(), ConfigError> {
        let every = self.every_seconds.unwrap_or(defaults.every_seconds);
        let less = "expected less than every_seconds";
        let wrong = [
            (self.id_of(defaults).trim().is_empty(), "id", "must not be empty"),
            (every == 0, "every_seconds", "expected at least 1"),
            (self.jitter_seconds >= every, "jitter_seconds", less),
            (self.offset_seconds.is_some_and(|offset| offset >= every), "offset_seconds", less),
            (
                self.catchup_seconds.is_some_and(|window| window < LEAST_CATCHUP_WINDOW),
                "catchup_seconds",
                "expected at least 10",
            ),
            (!(1..=MAX_PAGE_SIZE).contains(&self.page_size), "page_size", "expected 1 to 1000"),
            (self.pages_per_activity < 1, "pages_per_activity", "expected at least 1"),
            (
                !(1..=MAX_ACTIVITIES_PER_RUN).contains(&self.activities_per_run),
                "activities_per_run",
                "expected 1 to 2000",
            ),
        ];
        match wrong.into_iter().find(|(is_wrong, _, _)| *is_wrong) {
            Some((_, key, problem)) => {
                Err(ConfigError::invalid(format!("{}.{key}", defaults.key), problem))
            }
            None => Ok(()),
        }
    }
}

impl ReconcileConfig {
    /// The schedule as Temporal is to keep it.
    #[must_use]
    pub fn spec(&self) -> ScheduleSpec {
        self.schedule.spec_of(&RECONCILE)
    }

    /// The input of each reconciliation.
    #[must_use]
    pub fn input(&self) -> ReconcileSyncsRequest {
        ReconcileSyncsRequest {
            not_synced_for_seconds: i64::try_from(self.not_synced_for_seconds).unwrap_or(i64::MAX),
            full: self.full,
            page_size: self.schedule.page_size,
            pages_per_activity: self.schedule.pages_per_activity,
            activities_per_run: self.schedule.activities_per_run,
            progress: None,
        }
    }

    /// Checks it.
    ///
    /// # Errors
    /// A key cannot work.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.schedule.validate_as(&RECONCILE)?;
        if !(1..=MAX_NOT_SYNCED_FOR).contains(&self.not_synced_for_seconds) {
            let problem = "expected 1 to 315360000";
            return Err(ConfigError::invalid("reconcile.not_synced_for_seconds", problem));
        }
        Ok(())
    }
}

/// The schedules of this service, as they are at Temporal.
#[derive(Clone, Debug)]
pub struct Schedules {
    /// Starts `DispatchSyncs`.
    pub dispatch: ScheduleHandle,
    /// Starts `ReconcileSyncs`.
    pub reconcile: ScheduleHandle,
}

impl Schedules {
    /// Creates the schedules, or makes those that exist equal to the configuration.
    ///
    /// # Errors
    /// Temporal refuses them, or is away.
    pub async fn put(
        dispatch: &ScheduleConfig,
        reconcile: &ReconcileConfig,
        starters: &Starters,
    ) -> Result<Self, Error> {
        let schedules = Self {
            dispatch: starters.dispatch_syncs.schedule(dispatch.spec(), &dispatch.input()).await?,
            reconcile: starters
                .reconcile_syncs
                .schedule(reconcile.spec(), &reconcile.input())
                .await?,
        };
        let both = [(&schedules.dispatch, dispatch), (&schedules.reconcile, &reconcile.schedule)];
        for (handle, config) in both {
            tracing::info!(schedule = handle.id(), paused = config.paused, "scheduled");
            if config.trigger_on_start {
                handle.trigger().await?;
            }
        }
        Ok(schedules)
    }
}

#[cfg(test)]
mod tests {
    use worker_port::sync_v1::dispatch_service::{DispatchSyncs, ReconcileSyncs};
    use worker_port::testing::in_memory_starters;

    use super::*;

    #[tokio::test]
    async fn schedules_are_put_at_each_start_and_triggered_when_asked() {
        let (starters, workflows) = in_memory_starters();
        let config = ScheduleConfig { page_size: 7, trigger_on_start: true, ..Default::default() };
        let reconcile = ReconcileConfig { full: true, ..Default::default() };

        let put = Schedules::put(&config, &reconcile, &starters).await.unwrap();
        let again =
            ScheduleConfig { every_seconds: Some(60), trigger_on_start: false, ..config.clone() };
        Schedules::put(&again, &reconcile, &starters).await.unwrap();

        let started = workflows.inputs::<DispatchSyncs>().unwrap();
        assert_eq!(started.len(), 1);
        assert_eq!(started[0].1, config.input());
        assert_eq!(started[0].1.page_size, 7);
        let kept = workflows.scheduled(put.dispatch.id()).unwrap();
        assert_eq!(kept.schedule.every, Duration::from_secs(60));
        assert_eq!(workflows.inputs::<ReconcileSyncs>().unwrap(), []);
        assert!(workflows.scheduled(put.reconcile.id()).is_some());
    }

    #[tokio::test]
    async fn the_configuration_pauses_and_resumes_and_otherwise_keeps_what_is() {
        let (starters, _) = in_memory_starters();
        let reconcile = ReconcileConfig::default();
        for (paused, is) in
            [(None, false), (Some(true), true), (None, true), (Some(false), false), (None, false)]
        {
            let config = ScheduleConfig { paused, ..Default::default() };
            let put = Schedules::put(&config, &reconcile, &starters).await.unwrap();
            assert_eq!(put.dispatch.describe().await.unwrap().paused, is, "{paused:?}");
        }
    }

    #[test]
    fn a_missed_start_is_made_up_for_during_one_interval_and_ten_seconds_at_least() {
        let window = |config: &ScheduleConfig| config.spec().catchup_window.unwrap().as_secs();
        let every = |every| ScheduleConfig { every_seconds: Some(every), ..Default::default() };
        assert_eq!(window(&ScheduleConfig::default()), 3600);
        assert_eq!(window(&every(5)), 10);
        assert_eq!(window(&ScheduleConfig { catchup_seconds: Some(60), ..every(5) }), 60);
    }

    #[test]
    fn the_daily_default_offset_fits_shorter_intervals() {
        let config = ReconcileConfig::default();
        assert_eq!(config.spec().offset, Some(Duration::from_secs(11_820)));
        let hourly = ScheduleConfig { every_seconds: Some(3600), ..Default::default() };
        let hourly = ReconcileConfig { schedule: hourly, ..config };
        hourly.validate().unwrap();
        assert_eq!(hourly.spec().offset, Some(Duration::from_secs(1020)));
    }
}
