//! The job `SyncAthlete`: an athlete's activities, from Strava to the api, page by page.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use consumer_port::activities_v1::{ActivitiesService, Activity, UpsertActivitiesRequest};
use consumer_port::connections_v1::{ConnectionsService, GetAccessTokenRequest};
use consumer_port::quota_v1::CallPriority;
use consumer_port::sync_v1::{
    EndSyncRequest, EndSyncResponse, ListPosition, SyncAthlete, SyncOutcome, SyncReason,
    SyncService,
};
use consumer_port::{Clients, SyncAthleteHandler};
use secrecy::SecretString;
use treaty_error::{Code, Error, Result};
use treaty_nats::Delivery;
use treaty_rpc::{Context, TRACEPARENT, traceparent};

use super::lease::{self, Begun, Lease};
use super::walk::{Step, Walk};
use crate::config::{StravaConfig, SyncConfig};
use crate::errand::Errand;
use crate::strava::{ActivityPages, Page, PageQuery, StravaError, token_digest};

/// Most activities that the api takes at a time.
const MAX_BATCH: usize = 1000;

/// Pages after which a list that still goes on is taken for one without an end: two million
/// activities at Strava's page size, more than a life holds.
const MAX_PAGES: u32 = 10_000;

/// Handles [`SyncAthlete`].
pub struct SyncAthletes {
    strava: Arc<dyn ActivityPages>,
    activities: Arc<dyn ActivitiesService>,
    connections: Arc<dyn ConnectionsService>,
    sync: Arc<dyn SyncService>,
    page_size: u32,
    deadline: Duration,
}

/// What one attempt has come to.
#[derive(Debug, Default)]
struct Tally {
    inserted: i32,
    updated: i32,
    unchanged: i32,
    unusable: usize,
    reasons: BTreeSet<&'static str>,
}

/// An attempt that holds the lease.
struct Attempt<'a> {
    context: Context,
    job: &'a SyncAthlete,
    lease: Lease,
    deadline: Duration,
}

/// How urgent the calls to Strava are: whether somebody waits for them.
fn priority(reason: SyncReason) -> CallPriority {
    match reason {
        SyncReason::Consent | SyncReason::Webhook | SyncReason::User => CallPriority::Interactive,
        SyncReason::Unspecified
        | SyncReason::Schedule
        | SyncReason::Backfill
        | SyncReason::Reconcile => CallPriority::Background,
    }
}

impl Attempt<'_> {
    /// One identity for all calls, and a deadline for what is done next.
    fn context(&self) -> Context {
        self.context.clone().with_deadline(self.deadline)
    }
}

impl SyncAthletes {
    /// A handler that reads pages as `strava` says, and takes as long for each as `sync` says.
    #[must_use]
    pub fn new(
        pages: Arc<dyn ActivityPages>,
        clients: &Clients,
        strava: &StravaConfig,
        sync: &SyncConfig,
    ) -> Self {
        Self {
            strava: pages,
            activities: Arc::clone(&clients.activities),
            connections: Arc::clone(&clients.connections),
            sync: Arc::clone(&clients.sync),
            page_size: strava.page_size,
            deadline: sync.deadline(),
        }
    }

    async fn walk(&self, attempt: &Attempt<'_>, tally: &mut Tally) -> Result<SyncOutcome> {
        let Some(mut token) = self.access_token(attempt, None).await? else {
            return Ok(SyncOutcome::NeedsConsent);
        };
        let mut walk = Walk::from(attempt.lease.position, self.page_size);
        for _ in 0..MAX_PAGES {
            let mut page = self.page(attempt, &token, walk.query()).await?;
            if matches!(page, Err(StravaError::TokenRefused)) {
                // It ended while we waited, or Strava has withdrawn it: the api finds out.
                let Some(next) = self.access_token(attempt, Some(&token)).await? else {
                    return Ok(SyncOutcome::NeedsConsent);
                };
                token = next;
                page = self.page(attempt, &token, walk.query()).await?;
            }
            let mut page = match page {
                Ok(page) => page,
                // No repetition gives a permission: the athlete has to.
                Err(StravaError::MissingPermission) => return Ok(SyncOutcome::NeedsConsent),
                Err(error) => return Err(error.into()),
            };
            let unusable = tally.count_unusable(&mut page);
            match walk.take(page) {
                Step::End => return Ok(SyncOutcome::Succeeded),
                Step::Discard => {}
                Step::Keep { activities, next } => {
                    self.hand_over(attempt, activities, next, unusable, tally).await?;
                }
            }
        }
        let message = format!("the list of activities has no end after {MAX_PAGES} pages");
        Err(Error::new(Code::FailedPrecondition, message))
    }

    /// A page, within the time that it may take; waiting for Strava's quota does not count.
    async fn page(
        &self,
        attempt: &Attempt<'_>,
        token: &SecretString,
        query: PageQuery,
    ) -> Result<Result<Page, StravaError>> {
        let errand = Errand::new(priority(attempt.job.reason()), self.deadline);
        errand.bound(async { Ok(self.strava.page(&errand, token, query).await) }).await
    }

    /// A token for Strava, another than the one that Strava has rejected; `None` when the athlete
    /// must consent first.
    async fn access_token(
        &self,
        attempt: &Attempt<'_>,
        rejected: Option<&SecretString>,
    ) -> Result<Option<SecretString>> {
        let request = GetAccessTokenRequest {
            athlete_id: attempt.job.athlete_id.clone(),
            rejected_token_digest: rejected.map(token_digest).unwrap_or_default(),
        };
        match self.connections.get_access_token(&attempt.context(), request).await {
            Ok(response) => Ok(Some(SecretString::from(response.access_token))),
            Err(error) if error.code() == Code::FailedPrecondition => {
                tracing::debug!(error = error.chain(), "no token");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn hand_over(
        &self,
        attempt: &Attempt<'_>,
        activities: Vec<Activity>,
        next: ListPosition,
        unusable: i32,
        tally: &mut Tally,
    ) -> Result<()> {
        if activities.is_empty() && unusable == 0 {
            return Ok(());
        }
        let mut rest = activities;
        let mut unusable = unusable;
        loop {
            let later = rest.split_off(rest.len().min(MAX_BATCH));
            let request = UpsertActivitiesRequest {
                athlete_id: attempt.job.athlete_id.clone(),
                activities: std::mem::replace(&mut rest, later),
                lease: attempt.lease.number,
                // The page is not done before its last activity is.
                next_position: rest.is_empty().then_some(next),
                unusable: std::mem::take(&mut unusable),
            };
            let upserted = self.activities.upsert_activities(&attempt.context(), request).await?;
            tally.inserted = tally.inserted.saturating_add(upserted.inserted);
            tally.updated = tally.updated.saturating_add(upserted.updated);
            tally.unchanged = tally.unchanged.saturating_add(upserted.unchanged);
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    async fn end(&self, attempt: &Attempt<'_>, outcome: SyncOutcome) -> Result<EndSyncResponse> {
        let request = EndSyncRequest {
            athlete_id: attempt.job.athlete_id.clone(),
            request_id: attempt.job.request_id.clone(),
            lease: attempt.lease.number,
            outcome: outcome.into(),
        };
        self.sync.end_sync(&attempt.context(), request).await
    }
}

#[async_trait]
impl SyncAthleteHandler for SyncAthletes {
    async fn sync_athlete(&self, delivery: &Delivery, job: SyncAthlete) -> Result<()> {
        let started = Instant::now();
        let context = match traceparent(delivery.header(TRACEPARENT)) {
            Some(parent) => Context::background().with_traceparent(parent),
            None => Context::background(),
        };
        let asking = context.clone().with_deadline(self.deadline);
        let lease = match lease::begin(&self.sync, &asking, delivery, &job).await? {
            Begun::Lease(lease) => lease,
            Begun::Nothing(admission) => {
                let (athlete_id, request_id) = (&job.athlete_id, &job.request_id);
                let admission = admission.as_str_name();
                tracing::info!(athlete_id, request_id, admission, "nothing to sync");
                return Ok(());
            }
        };
        let attempt = Attempt { context, job: &job, lease, deadline: self.deadline };
        let mut tally = Tally::default();
        let outcome = tokio::select! {
            biased;
            outcome = self.walk(&attempt, &mut tally) => outcome?,
            lost = attempt.lease.keep(&self.sync, &attempt.context, &job.athlete_id) => {
                return Err(lost);
            }
        };
        let ended = self.end(&attempt, outcome).await?;
        tally.log(&job, outcome, &ended, started.elapsed());
        Ok(())
    }
}

impl Tally {
    /// Takes note of the page's unusable activities, and returns how many they are.
    fn count_unusable(&mut self, page: &mut Page) -> i32 {
        self.unusable += page.skipped.len();
        self.reasons.extend(&page.skipped);
        i32::try_from(page.skipped.len()).unwrap_or(i32::MAX)
    }

    fn log(
        &self,
        job: &SyncAthlete,
        outcome: SyncOutcome,
        ended: &EndSyncResponse,
        took: Duration,
    ) {
        if self.unusable > 0 {
            let reasons = self.reasons.iter().copied().collect::<Vec<_>>().join(", ");
            let (athlete_id, unusable) = (&job.athlete_id, self.unusable);
            tracing::warn!(athlete_id, unusable, reasons, "activities skipped as unusable");
        }
        tracing::info!(
            athlete_id = job.athlete_id,
            request_id = job.request_id,
            outcome = outcome.as_str_name(),
            activities = ended.activities,
            inserted = ended.inserted,
            updated = self.updated,
            unchanged = self.unchanged,
            deleted = ended.deleted,
            follow_up = ended.follow_up,
            elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "sync ended"
        );
    }
}
