//! The job `SyncAthlete`: every page of an athlete's activities, from Strava to the api.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use consumer_port::activities_v1::{
    ActivitiesService, Activity, UpsertActivitiesRequest, UpsertActivitiesResponse,
};
use consumer_port::connections_v1::{ConnectionsService, GetAccessTokenRequest};
use consumer_port::sync_v1::{AthleteSyncEnded, SyncAthlete, SyncOutcome};
use consumer_port::{Clients, SyncAthleteHandler};
use secrecy::SecretString;
use treaty_error::{Code, Error, Result};
use treaty_nats::{Delivery, Publish};
use treaty_rpc::{Context, TRACEPARENT, traceparent};

use crate::strava::{ActivityPages, Page, StravaError};

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
    ended: Arc<dyn Publish<AthleteSyncEnded>>,
    deadline: Duration,
}

/// What one attempt has come to.
#[derive(Debug, Default)]
struct Tally {
    /// Activities seen, by identifier: a list that shifts while it is paged shows some twice.
    seen: HashSet<i64>,
    inserted: i32,
    updated: i32,
    unchanged: i32,
    skipped: usize,
    reasons: BTreeSet<&'static str>,
}

impl SyncAthletes {
    /// A handler whose attempts may take as long as `deadline`.
    #[must_use]
    pub fn new(
        strava: Arc<dyn ActivityPages>,
        clients: &Clients,
        ended: Arc<dyn Publish<AthleteSyncEnded>>,
        deadline: Duration,
    ) -> Self {
        let activities = Arc::clone(&clients.activities);
        let connections = Arc::clone(&clients.connections);
        Self { strava, activities, connections, ended, deadline }
    }

    /// One identity and one deadline for all calls of an attempt.
    fn context(&self, delivery: &Delivery) -> Context {
        let context = Context::background().with_deadline(self.deadline);
        match traceparent(delivery.header(TRACEPARENT)) {
            Some(parent) => context.with_traceparent(parent),
            None => context,
        }
    }

    async fn sync(&self, context: &Context, athlete_id: &str) -> Result<(SyncOutcome, Tally)> {
        let mut tally = Tally::default();
        let Some(token) = self.access_token(context, athlete_id).await? else {
            return Ok((SyncOutcome::NeedsConsent, tally));
        };
        for number in 1..=MAX_PAGES {
            let page = match self.strava.page(&token, number).await {
                Ok(page) => page,
                // No repetition gives a permission: the athlete has to.
                Err(StravaError::MissingPermission) => {
                    return Ok((SyncOutcome::NeedsConsent, tally));
                }
                Err(error) => return Err(error.into()),
            };
            // A short page is not the last: Strava leaves out what we may not see. Only the
            // empty one ends the list.
            if page.is_empty() {
                return Ok((SyncOutcome::Succeeded, tally));
            }
            self.hand_over(context, athlete_id, page, &mut tally).await?;
        }
        let message = format!("the list of activities has no end after {MAX_PAGES} pages");
        Err(Error::new(Code::FailedPrecondition, message))
    }

    /// A token for Strava; `None` when the athlete must consent first.
    async fn access_token(
        &self,
        context: &Context,
        athlete_id: &str,
    ) -> Result<Option<SecretString>> {
        let request = GetAccessTokenRequest { athlete_id: athlete_id.to_owned() };
        match self.connections.get_access_token(context, request).await {
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
        context: &Context,
        athlete_id: &str,
        page: Page,
        tally: &mut Tally,
    ) -> Result<()> {
        tally.skipped += page.skipped.len();
        tally.reasons.extend(page.skipped);
        let mut rest = page.activities;
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(MAX_BATCH));
            let batch = std::mem::replace(&mut rest, later);
            let seen: Vec<i64> = batch.iter().map(|activity| activity.activity_id).collect();
            let upserted = self.upsert(context, athlete_id, batch).await?;
            tally.seen.extend(seen);
            tally.inserted = tally.inserted.saturating_add(upserted.inserted);
            tally.updated = tally.updated.saturating_add(upserted.updated);
            tally.unchanged = tally.unchanged.saturating_add(upserted.unchanged);
        }
        Ok(())
    }

    async fn upsert(
        &self,
        context: &Context,
        athlete_id: &str,
        activities: Vec<Activity>,
    ) -> Result<UpsertActivitiesResponse> {
        let request = UpsertActivitiesRequest { athlete_id: athlete_id.to_owned(), activities };
        self.activities.upsert_activities(context, request).await
    }
}

#[async_trait]
impl SyncAthleteHandler for SyncAthletes {
    async fn sync_athlete(&self, delivery: &Delivery, job: SyncAthlete) -> Result<()> {
        let started = Instant::now();
        let context = self.context(delivery);
        let attempt = self.sync(&context, &job.athlete_id);
        let (outcome, tally) = tokio::time::timeout(self.deadline, attempt)
            .await
            .map_err(|_| Error::new(Code::DeadlineExceeded, "the sync took too long"))??;
        self.ended.publish(&tally.event(&job, outcome)).await?;
        tally.log(&job, outcome, started.elapsed());
        Ok(())
    }
}

impl Tally {
    /// Activities that Strava listed, the unusable ones included.
    fn listed(&self) -> usize {
        self.seen.len() + self.skipped
    }

    fn event(&self, job: &SyncAthlete, outcome: SyncOutcome) -> AthleteSyncEnded {
        AthleteSyncEnded {
            athlete_id: job.athlete_id.clone(),
            request_id: job.request_id.clone(),
            outcome: outcome.into(),
            activities: i32::try_from(self.listed()).unwrap_or(i32::MAX),
            inserted: self.inserted,
            end_time: Some(SystemTime::now().into()),
        }
    }

    fn log(&self, job: &SyncAthlete, outcome: SyncOutcome, elapsed: Duration) {
        if self.skipped > 0 {
            let reasons = self.reasons.iter().copied().collect::<Vec<_>>().join(", ");
            let (athlete_id, skipped) = (&job.athlete_id, self.skipped);
            tracing::warn!(athlete_id, skipped, reasons, "activities skipped as unusable");
        }
        tracing::info!(
            athlete_id = job.athlete_id,
            request_id = job.request_id,
            outcome = outcome.as_str_name(),
            activities = self.listed(),
            inserted = self.inserted,
            updated = self.updated,
            unchanged = self.unchanged,
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "sync ended"
        );
    }
}
