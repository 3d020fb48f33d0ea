//! From pages of athletes to pages of jobs.

use async_trait::async_trait;
use treaty_error::Result;
use treaty_nats::Feeder;
use treaty_rpc::{Context, Pages};
use worker_port::athletes_v1::{
    Athlete, AthletesService, AthletesServicePages as _, ConnectionState, ListAthletesRequest,
    ListAthletesResponse,
};
use worker_port::sync_v1::{PublishSyncJobsRequest, SyncAthlete, SyncReason};

/// Asks for connected athletes, a page at a time, and makes a job of each.
pub(super) struct JobFeed<'a> {
    pages: Pages<'a, ListAthletesRequest, ListAthletesResponse, Athlete>,
    request: &'a PublishSyncJobsRequest,
    /// Pages until the feed pauses.
    pages_left: usize,
}

impl<'a> JobFeed<'a> {
    /// A feed that begins with the page of this token and has not begun yet: see
    /// [`resume`](Self::resume).
    pub(super) fn new(
        athletes: &'a dyn AthletesService,
        context: &'a Context,
        request: &'a PublishSyncJobsRequest,
        page_token: String,
    ) -> Self {
        let first = ListAthletesRequest {
            page_size: request.page_size,
            page_token,
            connection_state: ConnectionState::Connected.into(),
            not_synced_since: request.not_synced_since,
        };
        let pages = athletes.list_athletes_pages(context, first);
        Self { pages, request, pages_left: 0 }
    }

    /// Lets the feed go on for so many pages, then it ends as if there were no more.
    pub(super) fn resume(&mut self, pages: usize) {
        self.pages_left = pages;
    }

    /// Token of the page at which the feed pauses; `None` when it is through.
    pub(super) fn page_token(&mut self) -> Option<&str> {
        self.pages.next_page_token()
    }

    fn job(&self, athlete: Athlete) -> SyncAthlete {
        SyncAthlete {
            athlete_id: athlete.athlete_id,
            request_id: self.request.request_id.clone(),
            reason: match self.request.reason() {
                // A release that knew one reason only did not say it.
                SyncReason::Unspecified => SyncReason::Schedule.into(),
                reason => reason.into(),
            },
            request_time: self.request.request_time,
            full: self.request.full,
        }
    }
}

#[async_trait]
impl Feeder<SyncAthlete> for JobFeed<'_> {
    async fn next_page(&mut self) -> Result<Vec<SyncAthlete>> {
        while self.pages_left > 0
            && let Some(page) = self.pages.next_page().await.transpose()?
        {
            self.pages_left -= 1;
            // A page in the middle may be empty, and an empty one would end the feed.
            if !page.athletes.is_empty() {
                return Ok(page.athletes.into_iter().map(|athlete| self.job(athlete)).collect());
            }
        }
        Ok(Vec::new())
    }
}
