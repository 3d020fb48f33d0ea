//! From pages of athletes to pages of jobs.

use async_trait::async_trait;
use treaty_error::{Error, Result};
use treaty_nats::Feeder;
use treaty_rpc::Context;
use worker_port::athletes_v1::{Athlete, AthletesService, ConnectionState, ListAthletesRequest};
use worker_port::sync_v1::{PublishSyncJobsRequest, SyncAthlete, SyncReason};

/// Asks for connected athletes, a page at a time, and makes a job of each.
pub(super) struct JobFeed<'a> {
    athletes: &'a dyn AthletesService,
    context: &'a Context,
    request: &'a PublishSyncJobsRequest,
    /// Token of the next page; `None` after the last.
    page_token: Option<String>,
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
        Self { athletes, context, request, page_token: Some(page_token), pages_left: 0 }
    }

    /// Lets the feed go on for so many pages, then it ends as if there were no more.
    pub(super) fn resume(&mut self, pages: usize) {
        self.pages_left = pages;
    }

    /// Token of the page at which the feed pauses; `None` when it is through.
    pub(super) fn page_token(&self) -> Option<&str> {
        self.page_token.as_deref()
    }

    fn job(&self, athlete: Athlete) -> SyncAthlete {
        SyncAthlete {
            athlete_id: athlete.athlete_id,
            request_id: self.request.request_id.clone(),
            reason: SyncReason::Schedule.into(),
            request_time: self.request.request_time,
        }
    }
}

#[async_trait]
impl Feeder<SyncAthlete> for JobFeed<'_> {
    async fn next_page(&mut self) -> Result<Vec<SyncAthlete>> {
        while self.pages_left > 0 {
            let Some(page_token) = self.page_token.clone() else { break };
            let request = ListAthletesRequest {
                page_size: self.request.page_size,
                page_token,
                connection_state: ConnectionState::Connected.into(),
            };
            let page = self.athletes.list_athletes(self.context, request).await?;
            if page.next_page_token.is_empty() {
                self.page_token = None;
            } else if self.page_token() == Some(&page.next_page_token) {
                // Going on would publish the same page for ever.
                return Err(Error::internal("the list of athletes stays on one page"));
            } else {
                self.page_token = Some(page.next_page_token);
            }
            self.pages_left -= 1;
            // A page in the middle may be empty, and an empty one would end the feed.
            if !page.athletes.is_empty() {
                return Ok(page.athletes.into_iter().map(|athlete| self.job(athlete)).collect());
            }
        }
        Ok(Vec::new())
    }
}
