//! The activity `PublishSyncJobs`: one job for each connected athlete of some pages.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};
use treaty_error::{Code, Error, Result};
use treaty_nats::{Publish, PublishOptions};
use treaty_rpc::{Caller, Context};
use treaty_temporal::{ActivityContext, ActivityContract as _, ActivityHandler};
use worker_port::athletes_v1::AthletesService;
use worker_port::sync_v1::dispatch_service::PublishSyncJobs;
use worker_port::sync_v1::{PublishSyncJobsRequest, PublishSyncJobsResponse, SyncAthlete};

use super::job_feed::JobFeed;

/// Pages between two checkpoints, when nothing else is said. The publishers run dry at each, so
/// they should not be too close.
const PAGES_PER_CHECKPOINT: usize = 20;

/// How often the server hears that the attempt is alive, when the contract sets no limit.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// Implements [`PublishSyncJobs`].
pub struct SyncJobPublisher {
    athletes: Arc<dyn AthletesService>,
    jobs: Arc<dyn Publish<SyncAthlete>>,
    publishers: usize,
    pages_per_checkpoint: usize,
}

/// How far the activity is: everything before the page is in the stream. The release before did not
/// count pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Checkpoint {
    page_token: String,
    pages: usize,
    published: u64,
    duplicates: u64,
}

impl SyncJobPublisher {
    /// Publishes with so many publishers at the same time.
    #[must_use]
    pub fn new(
        athletes: Arc<dyn AthletesService>,
        jobs: Arc<dyn Publish<SyncAthlete>>,
        publishers: usize,
    ) -> Self {
        Self { athletes, jobs, publishers, pages_per_checkpoint: PAGES_PER_CHECKPOINT }
    }

    /// Sets the number of pages after which the next attempt need not begin before them. At least
    /// one is taken.
    #[must_use]
    pub fn with_checkpoint_every(mut self, pages: usize) -> Self {
        self.pages_per_checkpoint = pages.max(1);
        self
    }

    async fn publish(
        &self,
        activity: &ActivityContext,
        request: &PublishSyncJobsRequest,
    ) -> Result<Checkpoint> {
        // The api's log then names the dispatch that asked.
        let context = Context::incoming(Caller::Anonymous, request.request_id.as_str());
        let mut checkpoint = checkpoint_of(activity).unwrap_or_else(|| Checkpoint {
            page_token: request.page_token.clone(),
            ..Checkpoint::default()
        });
        let max_pages = match usize::try_from(request.max_pages) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(pages) => pages,
        };
        let first = checkpoint.page_token.clone();
        let mut feed = JobFeed::new(&*self.athletes, &context, request, first);
        loop {
            let pages = self.pages_per_checkpoint.min(max_pages.saturating_sub(checkpoint.pages));
            feed.resume(pages);
            let options = PublishOptions { publishers: self.publishers, ..Default::default() };
            let publishing = self.jobs.publish_all(&mut feed, options);
            let report = alive(activity, &checkpoint, publishing).await?.into_result()?;
            checkpoint.published += report.published;
            checkpoint.duplicates += report.duplicates;
            checkpoint.pages += pages;
            feed.page_token().unwrap_or_default().clone_into(&mut checkpoint.page_token);
            if checkpoint.page_token.is_empty() || checkpoint.pages >= max_pages {
                return Ok(checkpoint);
            }
            activity.heartbeat(checkpoint.clone()).await?;
        }
    }
}

#[async_trait]
impl ActivityHandler<PublishSyncJobs> for SyncJobPublisher {
    async fn run(
        &self,
        context: &ActivityContext,
        input: PublishSyncJobsRequest,
    ) -> Result<PublishSyncJobsResponse> {
        // Without one, the jobs of this dispatch would be taken for those of another.
        if input.request_id.is_empty() {
            return Err(Error::invalid_field("request_id", "is empty"));
        }
        let done = self.publish(context, &input).await?;
        tracing::info!(
            request_id = input.request_id,
            published = done.published,
            duplicates = done.duplicates,
            "jobs are published"
        );
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Ok(PublishSyncJobsResponse {
            published: count(done.published),
            duplicates: count(done.duplicates),
            next_page_token: done.page_token,
        })
    }
}

/// Where the attempt before this one had come to. What another version of the worker left behind may
/// not be readable; then everything is published again, which the stream mostly knows already.
fn checkpoint_of(activity: &ActivityContext) -> Option<Checkpoint> {
    match activity.progress() {
        Ok(progress) => progress,
        Err(error) => {
            let error = Error::from(error);
            tracing::warn!(error = error.chain(), "the last checkpoint is not readable");
            None
        }
    }
}

/// Awaits the work while the server hears that the attempt is alive, and gives the work up when
/// the attempt is to stop.
async fn alive<T>(
    activity: &ActivityContext,
    checkpoint: &Checkpoint,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let limit = PublishSyncJobs::SPEC.heartbeat;
    let mut beat = interval(limit.map_or(HEARTBEAT_INTERVAL, |limit| limit / 3));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = activity.cancelled() => {
                return Err(Error::new(Code::Cancelled, "the dispatch was told to stop"));
            }
            _ = beat.tick() => activity.heartbeat(checkpoint.clone()).await?,
        }
    }
}
