//! What all requests share.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::changes::Changes;
use crate::config::SimulatorConfig;
use crate::counters::Counters;
use crate::faults::Faults;
use crate::generate::{ATHLETE_ID_BASE, Generator};
use crate::grants::Grants;
use crate::quota::Quota;
use crate::summary::Renderer;
use crate::timeline::Timeline;
use crate::webhooks::{Delivery, Subscription};

/// The simulation as handlers hold it.
pub(crate) type Shared = Arc<Simulation>;

/// Everything that is fixed, and the one lock around everything that is not.
pub(crate) struct Simulation {
    pub(crate) config: SimulatorConfig,
    pub(crate) generator: Generator,
    pub(crate) http: reqwest::Client,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    state: Mutex<State>,
}

/// What changes. The lock around it is never held across an await.
pub(crate) struct State {
    pub(crate) grants: Grants,
    pub(crate) quota: Quota,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    pub(crate) changes: HashMap<u64, Changes>,
    pub(crate) subscription: Option<Subscription>,
    pub(crate) subscriptions_made: u64,
    pub(crate) deliveries: VecDeque<Delivery>,
    pub(crate) deliveries_made: u64,
}

impl Simulation {
    pub(crate) fn new(config: SimulatorConfig, http: reqwest::Client) -> Self {
        let state = State {
            grants: Grants::new(config.seed, config.access_token_lifetime, config.refresh_rotation),
            quota: Quota::new(config.limits, config.windows),
            faults: Faults::new(config.seed, config.faults.clone()),
            counters: Counters::default(),
            changes: HashMap::new(),
            subscription: None,
            subscriptions_made: 0,
            deliveries: VecDeque::new(),
            deliveries_made: 0,
        };
        Self {
            generator: Generator::new(
                config.seed,
                config.activities_per_athlete,
                config.unknown_sport_every,
            ),
            config,
            http,
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.config.clock.unix_seconds()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Every change below the lock is complete in itself, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An athlete's activities as they are now.
    pub(crate) fn timeline(&self, athlete: u64) -> Timeline<'_> {
        let changes = self.lock().changes.get(&athlete).cloned();
        Timeline { generator: &self.generator, athlete, changes }
    }

    pub(crate) fn renderer(&self) -> Renderer<'_> {
        Renderer {
            generator: &self.generator,
            oversized_upload_id_every: self.config.oversized_upload_id_every,
        }
    }

    /// The index of the athlete with this identifier.
    pub(crate) fn athlete_index(&self, athlete_id: u64) -> Option<u64> {
        let index = athlete_id.checked_sub(ATHLETE_ID_BASE)?;
        (index < self.config.athletes).then_some(index)
    }
}
