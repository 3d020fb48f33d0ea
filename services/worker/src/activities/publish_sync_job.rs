//! The activity `PublishSyncJob`: the job of one athlete.

use std::sync::Arc;

use async_trait::async_trait;
use treaty_error::Result;
use treaty_nats::Publish;
use treaty_rpc::{Caller, Context};
use treaty_temporal::{ActivityContext, ActivityHandler};
use worker_port::athletes_v1::AthletesService;
use worker_port::sync_v1::dispatch_service::PublishSyncJob;
use worker_port::sync_v1::{PublishSyncJobRequest, PublishSyncJobResponse, SyncAthlete};

use super::athlete::connected;

/// Implements [`PublishSyncJob`].
pub struct SingleJobPublisher {
    athletes: Arc<dyn AthletesService>,
    jobs: Arc<dyn Publish<SyncAthlete>>,
}

impl SingleJobPublisher {
    /// Publishes for athletes whom this api knows.
    #[must_use]
    pub fn new(athletes: Arc<dyn AthletesService>, jobs: Arc<dyn Publish<SyncAthlete>>) -> Self {
        Self { athletes, jobs }
    }
}

#[async_trait]
impl ActivityHandler<PublishSyncJob> for SingleJobPublisher {
    async fn run(
        &self,
        _context: &ActivityContext,
        input: PublishSyncJobRequest,
    ) -> Result<PublishSyncJobResponse> {
        let context = Context::incoming(Caller::Anonymous, input.request_id.as_str());
        connected(&*self.athletes, &context, &input.athlete_id).await?;
        let job = SyncAthlete {
            athlete_id: input.athlete_id,
            request_id: input.request_id,
            reason: input.reason,
            request_time: input.request_time,
            full: input.full,
        };
        let published = self.jobs.publish(&job).await?;
        Ok(PublishSyncJobResponse { duplicate: published.duplicate })
    }
}
