//! The handler by itself: mocks for the api, scripted pages.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use consumer::config::{StravaConfig, SyncConfig};
use consumer::errand::Errand;
use consumer::handlers::SyncAthletes;
use consumer::strava::{ActivityPages, Page, PageQuery, StravaError, token_digest};
use consumer_port::activities_v1::{Activity, UpsertActivitiesRequest, UpsertActivitiesResponse};
use consumer_port::connections_v1::{GetAccessTokenResponse, MockConnectionsService};
use consumer_port::quota_v1::CallPriority;
use consumer_port::sync_v1::{
    BeginSyncResponse, EndSyncRequest, EndSyncResponse, ListPosition, MockSyncService,
    SyncAdmission, SyncAthlete, SyncOutcome, SyncReason, SyncSession,
};
use consumer_port::testing::{self, MockClients, Outcome};
use consumer_port::well_known::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use treaty_error::{Code, Error};

const ADA: &str = "0b4d3b7e-5f36-4a8e-9d0a-6a4f1a9f6c01";

const TOKEN: &str = "the-access-token";
const SYNC: SyncConfig = SyncConfig { deadline_seconds: 60 };
const LEASE: i64 = 7;
const NEWEST: ListPosition = ListPosition { after: None, before: None, page: 1 };

/// The contract's wait after a first failure.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// Gives these pages in turn, and records which were asked for.
struct Script {
    pages: Mutex<VecDeque<Result<Page, StravaError>>>,
    asked: Mutex<Vec<PageQuery>>,
}

#[async_trait]
impl ActivityPages for Script {
    async fn page(
        &self,
        errand: &Errand,
        token: &SecretString,
        query: PageQuery,
    ) -> Result<Page, StravaError> {
        assert_eq!(token.expose_secret(), TOKEN);
        assert_eq!(errand.priority(), CallPriority::Interactive);
        self.asked.lock().unwrap().push(query);
        let next = self.pages.lock().unwrap().pop_front();
        match next {
            Some(page) => page,
            None => std::future::pending().await,
        }
    }
}

struct Case {
    script: Arc<Script>,
    api: MockClients,
    written: Arc<Mutex<Vec<UpsertActivitiesRequest>>>,
    ended: Arc<Mutex<Vec<EndSyncRequest>>>,
}

impl Case {
    /// A job that gets the lease and the whole list, in these pages.
    fn new(pages: Vec<Result<Page, StravaError>>) -> Self {
        Self::at(NEWEST, pages)
    }

    fn at(position: ListPosition, pages: Vec<Result<Page, StravaError>>) -> Self {
        let mut api = MockClients::default();
        api.connections.expect_get_access_token().returning(|_, request| {
            assert_eq!(request.athlete_id, ADA);
            Ok(GetAccessTokenResponse { access_token: TOKEN.to_owned(), ..Default::default() })
        });
        api.sync.expect_begin_sync().returning(move |_, request| {
            assert_eq!((request.athlete_id.as_str(), request.request_id.as_str()), (ADA, "r1"));
            assert_eq!((request.reason(), request.full), (SyncReason::Consent, true));
            let session = SyncSession {
                lease: LEASE,
                lease_time: Some(consumer_port::well_known::Duration { seconds: 30, nanos: 0 }),
                position: Some(position),
            };
            let admission = SyncAdmission::Admitted.into();
            Ok(BeginSyncResponse { admission, session: Some(session) })
        });
        let script = Arc::new(Script { pages: Mutex::new(pages.into()), asked: Mutex::default() });
        Self { script, api, written: Arc::default(), ended: Arc::default() }
    }

    /// The api takes what comes, and knew none of the activities before.
    fn taking(mut self) -> Self {
        let (mut known, written) = (HashSet::new(), Arc::clone(&self.written));
        self.api.activities.expect_upsert_activities().returning(move |context, request| {
            assert!(context.remaining().unwrap() <= SYNC.deadline());
            assert_eq!((request.athlete_id.as_str(), request.lease), (ADA, LEASE));
            let new = |activity: &&Activity| known.insert(activity.activity_id);
            let inserted = i32::try_from(request.activities.iter().filter(new).count()).unwrap();
            written.lock().unwrap().push(request);
            Ok(UpsertActivitiesResponse { inserted, ..Default::default() })
        });
        self
    }

    /// The api records the end.
    fn ending(mut self) -> Self {
        let ended = Arc::clone(&self.ended);
        self.api.sync.expect_end_sync().times(1).returning(move |_, request| {
            assert_eq!((request.athlete_id.as_str(), request.request_id.as_str()), (ADA, "r1"));
            assert_eq!(request.lease, LEASE);
            ended.lock().unwrap().push(request);
            Ok(EndSyncResponse::default())
        });
        self
    }

    /// Delivers the job once.
    async fn run(self) -> Done {
        let clients = self.api.into_clients();
        let strava = StravaConfig::default();
        let pages = Arc::clone(&self.script);
        let handler = SyncAthletes::new(pages, &clients, &strava, &SYNC);
        let outcome = testing::sync_athlete(Arc::new(handler)).deliver(&job()).await;
        let asked = self.script.asked.lock().unwrap().clone();
        let written = std::mem::take(&mut *self.written.lock().unwrap());
        let ended = self.ended.lock().unwrap().iter().map(EndSyncRequest::outcome).collect();
        Done { outcome, asked, written, ended }
    }
}

/// What became of the job, and what was asked and told meanwhile.
struct Done {
    outcome: Outcome,
    asked: Vec<PageQuery>,
    written: Vec<UpsertActivitiesRequest>,
    ended: Vec<SyncOutcome>,
}

impl Done {
    /// Sizes of the batches.
    fn sizes(&self) -> Vec<usize> {
        self.written.iter().map(|request| request.activities.len()).collect()
    }
}

fn job() -> SyncAthlete {
    SyncAthlete {
        athlete_id: ADA.to_owned(),
        request_id: "r1".to_owned(),
        reason: SyncReason::Consent.into(),
        request_time: None,
        full: true,
    }
}

/// Activities with these numbers, newest first; each starts at the second of its number.
fn page(ids: std::ops::Range<i64>) -> Result<Page, StravaError> {
    let activity = |activity_id| Activity {
        activity_id,
        start_time: Some(Timestamp { seconds: activity_id, nanos: 0 }),
        ..Default::default()
    };
    Ok(Page { activities: ids.rev().map(activity).collect(), skipped: Vec::new() })
}

fn before(bound: i64) -> PageQuery {
    PageQuery { before: Some(bound), page: 1, ..PageQuery::default() }
}

fn numbered(page: u32) -> PageQuery {
    PageQuery { page, ..PageQuery::default() }
}

#[tokio::test]
async fn all_pages_go_to_the_api_each_with_the_place_of_the_next() {
    // The second page is short, and repeats the last activity of the first.
    let pages = vec![page(101..301), page(50..102), page(0..0)];
    let done = Case::new(pages).taking().ending().run().await;
    done.outcome.assert_acknowledged();
    let second = before(102);
    assert_eq!(done.asked, [numbered(1), second, PageQuery { page: 2, ..second }]);
    assert_eq!(done.sizes(), [200, 51]);
    let next = |bound| Some(ListPosition { before: Some(bound), ..NEWEST });
    assert_eq!(done.written[0].next_position, next(102));
    assert_eq!(done.written[1].next_position, next(51));
    assert_eq!(done.ended, [SyncOutcome::Succeeded]);
}

#[tokio::test]
async fn an_attempt_begins_where_the_one_before_has_come_to() {
    let position = ListPosition { before: Some(51), page: 3, after: None };
    let done = Case::at(position, vec![page(10..20), page(0..0)]).taking().ending().run().await;
    done.outcome.assert_acknowledged();
    assert_eq!(done.asked[0], PageQuery { page: 3, ..before(51) });

    // What is new is asked for oldest first.
    let position = ListPosition { after: Some(9), ..NEWEST };
    let done = Case::at(position, vec![page(10..210), page(209..211), page(0..0)]);
    let done = done.taking().ending().run().await;
    let after = |bound, page| PageQuery { after: Some(bound), before: None, page };
    assert_eq!(done.asked, [after(9, 1), after(208, 1), after(208, 2)]);
    assert_eq!(done.sizes(), [200, 1]);
}

#[tokio::test]
async fn a_job_that_others_do_is_done() {
    for admission in [SyncAdmission::Folded, SyncAdmission::Done] {
        let mut case = Case::new(Vec::new());
        case.api.sync = MockSyncService::new();
        case.api.sync.expect_begin_sync().returning(move |_, _| {
            Ok(BeginSyncResponse { admission: admission.into(), session: None })
        });
        let done = case.run().await;
        done.outcome.assert_acknowledged();
        assert!(done.asked.is_empty() && done.ended.is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_no_api_gives_is_a_failure() {
    for (admission, position) in
        [(SyncAdmission::Unspecified, Some(NEWEST)), (SyncAdmission::Admitted, None)]
    {
        let mut case = Case::new(Vec::new());
        case.api.sync = MockSyncService::new();
        case.api.sync.expect_begin_sync().returning(move |_, _| {
            let session = SyncSession { lease: 1, lease_time: None, position };
            Ok(BeginSyncResponse { admission: admission.into(), session: Some(session) })
        });
        let done = case.run().await;
        let error = done.outcome.assert_comes_again(FIRST_BACKOFF);
        assert_eq!(error.code(), Code::Internal);
    }
}

#[tokio::test]
async fn an_athlete_without_activities_has_synced_well() {
    let done = Case::new(vec![page(0..0)]).ending().run().await;
    done.outcome.assert_acknowledged();
    assert_eq!(done.ended, [SyncOutcome::Succeeded]);
}

#[tokio::test]
async fn batches_keep_to_what_the_api_takes() {
    let done = Case::new(vec![page(1..2502), page(0..0)]).taking().ending().run().await;
    done.outcome.assert_acknowledged();
    assert_eq!(done.sizes(), [1000, 1000, 501]);
    let next: Vec<_> = done.written.iter().map(|request| request.next_position.is_some()).collect();
    assert_eq!(next, [false, false, true], "a page is done when all of it is");
}

#[tokio::test]
async fn unusable_activities_are_counted_and_end_nothing() {
    let unusable = Ok(Page { activities: Vec::new(), skipped: vec!["name", "id"] });
    let done = Case::new(vec![unusable, page(1..2), page(0..0)]).taking().ending().run().await;
    done.outcome.assert_acknowledged();
    assert_eq!(done.asked.len(), 3);
    assert_eq!(done.sizes(), [0, 1]);
    assert_eq!(done.written[0].unusable, 2);
}

#[tokio::test]
async fn an_athlete_who_must_consent_ends_the_sync() {
    let mut case = Case::new(Vec::new()).ending();
    case.api.connections = MockConnectionsService::new();
    case.api
        .connections
        .expect_get_access_token()
        .returning(|_, _| Err(Error::new(Code::FailedPrecondition, "consent first")));
    let done = case.run().await;
    done.outcome.assert_acknowledged();
    assert!(done.asked.is_empty());
    assert_eq!(done.ended, [SyncOutcome::NeedsConsent]);

    let done = Case::new(vec![Err(StravaError::MissingPermission)]).ending().run().await;
    done.outcome.assert_acknowledged();
    assert_eq!(done.ended, [SyncOutcome::NeedsConsent]);
}

#[tokio::test]
async fn a_rejected_token_is_shown_to_the_api_once() {
    let digest = token_digest(&SecretString::from(TOKEN));
    let pages = vec![Err(StravaError::TokenRefused), page(1..3), page(0..0)];
    let mut case = Case::new(pages).taking().ending();
    case.api.connections = MockConnectionsService::new();
    let mut shown = vec![digest, Vec::new()];
    case.api.connections.expect_get_access_token().times(2).returning(move |_, request| {
        assert_eq!(Some(request.rejected_token_digest), shown.pop());
        Ok(GetAccessTokenResponse { access_token: TOKEN.to_owned(), ..Default::default() })
    });
    let done = case.run().await;
    done.outcome.assert_acknowledged();
    assert_eq!(done.asked[..2], [numbered(1), numbered(1)]);

    // One that is rejected again costs the attempt.
    let refused = || Err(StravaError::TokenRefused);
    let done = Case::new(vec![refused(), refused()]).run().await;
    let error = done.outcome.assert_comes_again(FIRST_BACKOFF);
    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(done.asked.len(), 2);
}

#[tokio::test]
async fn every_other_failure_is_the_jobs_and_nothing_is_ended() {
    let mut case = Case::new(Vec::new());
    case.api.connections = MockConnectionsService::new();
    case.api
        .connections
        .expect_get_access_token()
        .returning(|_, _| Err(Error::new(Code::Unavailable, "away")));
    let done = case.run().await;
    let error = done.outcome.assert_comes_again(FIRST_BACKOFF);
    assert_eq!(error.code(), Code::Unavailable);

    let failed = StravaError::Failed { status: 503 };
    let done = Case::new(vec![page(1..3), Err(failed)]).taking().run().await;
    let error = done.outcome.assert_comes_again(FIRST_BACKOFF);
    assert_eq!(error.code(), Code::Unavailable);

    // A job that waited for quota when its process was told to end is another's at once.
    let done = Case::new(vec![page(1..3), Err(StravaError::Stopping)]).taking().run().await;
    let error = done.outcome.assert_comes_again(Duration::ZERO);
    assert_eq!(error.code(), Code::Cancelled);

    // The api's own refusal is no lack of consent.
    let mut case = Case::new(vec![page(1..3)]);
    case.api
        .activities
        .expect_upsert_activities()
        .returning(|_, _| Err(Error::new(Code::FailedPrecondition, "no")));
    let done = case.run().await;
    let error = done.outcome.assert_dead_lettered();
    assert_eq!(error.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn who_was_superseded_gives_the_message_back_for_as_long_as_the_api_says() {
    let wait = Duration::from_secs(60);
    let superseded = move || Error::new(Code::Aborted, "taken over").with_retry_after(wait);
    let mut case = Case::new(vec![page(1..3)]);
    case.api.activities.expect_upsert_activities().returning(move |_, _| Err(superseded()));
    let done = case.run().await;
    let error = done.outcome.assert_comes_again(wait);
    assert_eq!(error.code(), Code::Aborted);
}

#[tokio::test]
async fn a_job_whose_end_cannot_be_recorded_is_not_done() {
    let mut case = Case::new(vec![page(0..0)]);
    case.api
        .sync
        .expect_end_sync()
        .returning(|_, _| Err(Error::new(Code::Unavailable, "database away")));
    let done = case.run().await;
    let error = done.outcome.assert_comes_again(FIRST_BACKOFF);
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_strava_is_slow_and_its_loss_ends_the_attempt() {
    let mut case = Case::new(vec![page(1..2)]).taking();
    let mut renewals = 0;
    case.api.sync.expect_renew_sync().times(3).returning(move |_, request| {
        assert_eq!((request.athlete_id.as_str(), request.lease), (ADA, LEASE));
        renewals += 1;
        match renewals {
            1 => Ok(consumer_port::sync_v1::RenewSyncResponse {}),
            // Not to know is not to have lost it.
            2 => Err(Error::new(Code::Unavailable, "away")),
            _ => Err(Error::new(Code::Aborted, "taken over")),
        }
    });
    let started = tokio::time::Instant::now();
    let done = case.run().await;
    let error = done.outcome.assert_comes_again(FIRST_BACKOFF);
    assert_eq!((error.code(), started.elapsed()), (Code::Aborted, Duration::from_secs(30)));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_never_comes_ends_the_attempt() {
    let mut case = Case::new(vec![page(1..2)]).taking();
    case.api
        .sync
        .expect_renew_sync()
        .returning(|_, _| Ok(consumer_port::sync_v1::RenewSyncResponse {}));
    let done = case.run().await;
    let error = done.outcome.assert_comes_again(FIRST_BACKOFF);
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(done.asked.len(), 2);
}
