//! The activity `AwaitSync`: asks the api until a walk through an athlete's list has ended.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use treaty_error::{Code, Error, Result};
use treaty_rpc::Context;
use treaty_temporal::{ActivityContext, ActivityHandler};
use worker_port::athletes_v1::AthletesService;
use worker_port::sync_v1::dispatch_service::AwaitSync;
use worker_port::sync_v1::{AwaitSyncRequest, AwaitSyncResponse, GetSyncStateRequest, SyncService};
use worker_port::well_known::Timestamp;

use super::athlete::connected;

/// The wait before the api is asked again, at first.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait before the api is asked again: well within the contract's heartbeat.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// How many seconds earlier than asked for a walk may have begun: it was asked for by Temporal's clock
/// and begins by that of the api's database.
const BETWEEN_CLOCKS: i64 = 5;

/// Implements [`AwaitSync`].
pub struct SyncWatch {
    athletes: Arc<dyn AthletesService>,
    sync: Arc<dyn SyncService>,
    first_wait: Duration,
}

impl SyncWatch {
    /// Asks this api.
    #[must_use]
    pub fn new(athletes: Arc<dyn AthletesService>, sync: Arc<dyn SyncService>) -> Self {
        Self { athletes, sync, first_wait: FIRST_WAIT }
    }

    /// Sets the wait before the api is asked for the second time; later waits are longer.
    #[must_use]
    pub fn with_first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }
}

#[async_trait]
impl ActivityHandler<AwaitSync> for SyncWatch {
    async fn run(
        &self,
        context: &ActivityContext,
        input: AwaitSyncRequest,
    ) -> Result<AwaitSyncResponse> {
        let mut wait = self.first_wait;
        loop {
            let calling = Context::background();
            connected(&*self.athletes, &calling, &input.athlete_id).await?;
            let request = GetSyncStateRequest { athlete_id: input.athlete_id.clone() };
            let state = self.sync.get_sync_state(&calling, request).await?.state;
            let walked = state.and_then(|state| state.last_full_walk_time);
            if walked.is_some_and(|walk| counts(&walk, input.request_time.as_ref())) {
                return Ok(AwaitSyncResponse { walk_time: walked });
            }
            context.heartbeat(()).await?;
            tokio::select! {
                () = context.cancelled() => {
                    return Err(Error::new(Code::Cancelled, "the wait was told to stop"));
                }
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// Whether a walk that began then is one that was asked for.
fn counts(walk: &Timestamp, asked: Option<&Timestamp>) -> bool {
    let latest = (walk.seconds.saturating_add(BETWEEN_CLOCKS), walk.nanos);
    asked.is_none_or(|asked| latest >= (asked.seconds, asked.nanos))
}
