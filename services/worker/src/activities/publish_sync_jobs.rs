//! Pages the connected athletes and publishes a job for each.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use treaty_error::{Error, Result};
use treaty_nats::{Feeder, Publish, PublishOptions};
use treaty_rpc::Context;
use treaty_temporal::{ActivityContext, ActivityHandler};
use worker_port::athletes_v1::{AthletesService, ConnectionState, ListAthletesRequest};
use worker_port::sync_v1::dispatch_service::PublishSyncJobs;
use worker_port::sync_v1::{
    PublishSyncJobsRequest, PublishSyncJobsResponse, SyncAthlete, SyncReason,
};

/// Longest time for one page of athletes.
const PAGE_DEADLINE: Duration = Duration::from_secs(10);

/// The activity [`PublishSyncJobs`].
pub struct PublishSyncJobsActivity {
    athletes: Arc<dyn AthletesService>,
    publisher: Arc<dyn Publish<SyncAthlete>>,
    publishers: usize,
}

impl PublishSyncJobsActivity {
    /// Asks `athletes` and publishes with `publishers` at a time.
    pub fn new(
        athletes: Arc<dyn AthletesService>,
        publisher: Arc<dyn Publish<SyncAthlete>>,
        publishers: usize,
    ) -> Self {
        Self { athletes, publisher, publishers }
    }
}

#[async_trait]
impl ActivityHandler<PublishSyncJobs> for PublishSyncJobsActivity {
    async fn run(
        &self,
        context: &ActivityContext,
        request: PublishSyncJobsRequest,
    ) -> Result<PublishSyncJobsResponse> {
        let mut pages = AthletePages {
            athletes: self.athletes.as_ref(),
            activity: context,
            request,
            page_token: Some(String::new()),
        };
        let options = PublishOptions { publishers: self.publishers, ..PublishOptions::default() };
        let report = self.publisher.publish_all(&mut pages, options).await?.into_result()?;
        tracing::info!(
            published = report.published,
            duplicates = report.duplicates,
            request_id = pages.request.request_id,
            "dispatched"
        );
        Ok(PublishSyncJobsResponse {
            published: count(report.published),
            duplicates: count(report.duplicates),
        })
    }
}

/// Feeds the publisher a page of athletes at a time.
struct AthletePages<'a> {
    athletes: &'a dyn AthletesService,
    activity: &'a ActivityContext,
    request: PublishSyncJobsRequest,
    /// Token of the next page; none after the last.
    page_token: Option<String>,
}

#[async_trait]
impl Feeder<SyncAthlete> for AthletePages<'_> {
    /// An empty page ends the feed, so pages without athletes are passed over.
    async fn next_page(&mut self) -> Result<Vec<SyncAthlete>> {
        while let Some(page_token) = self.page_token.take() {
            self.activity.heartbeat(page_token.clone()).await.map_err(Error::from)?;
            let request = ListAthletesRequest {
                page_size: self.request.page_size,
                page_token,
                connection_state: ConnectionState::Connected.into(),
            };
            let context = Context::background().with_deadline(PAGE_DEADLINE);
            let page = self.athletes.list_athletes(&context, request).await?;
            self.page_token = Some(page.next_page_token).filter(|token| !token.is_empty());
            if !page.athletes.is_empty() {
                let ids = page.athletes.into_iter().map(|athlete| athlete.athlete_id);
                return Ok(ids.map(|id| self.job(id)).collect());
            }
        }
        Ok(Vec::new())
    }
}

impl AthletePages<'_> {
    fn job(&self, athlete_id: String) -> SyncAthlete {
        SyncAthlete {
            athlete_id,
            request_id: self.request.request_id.clone(),
            reason: SyncReason::Schedule.into(),
            request_time: self.request.request_time,
        }
    }
}

/// Counts in contracts are signed.
fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
