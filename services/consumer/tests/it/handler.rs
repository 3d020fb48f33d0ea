//! The handler by itself: mocks for the api, a recording publisher, scripted pages.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use consumer::handlers::SyncAthletes;
use consumer::strava::{ActivityPages, Page, StravaError};
use consumer_port::activities_v1::{Activity, UpsertActivitiesResponse};
use consumer_port::connections_v1::{GetAccessTokenResponse, MockConnectionsService};
use consumer_port::sync_v1::{AthleteSyncEnded, SyncAthlete, SyncOutcome, SyncReason};
use consumer_port::testing::{self, MockClients, Outcome, RecordingPublishers};
use secrecy::{ExposeSecret as _, SecretString};
use treaty_error::{Code, Error};

const ADA: &str = "0b4d3b7e-5f36-4a8e-9d0a-6a4f1a9f6c01";

const TOKEN: &str = "the-access-token";
const DEADLINE: Duration = Duration::from_secs(60);

/// The contract's wait after a first failure.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// Gives these pages in turn, and records which were asked for.
struct Script {
    pages: Mutex<VecDeque<Result<Page, StravaError>>>,
    asked: Mutex<Vec<u32>>,
}

#[async_trait]
impl ActivityPages for Script {
    async fn page(&self, token: &SecretString, number: u32) -> Result<Page, StravaError> {
        assert_eq!(token.expose_secret(), TOKEN);
        self.asked.lock().unwrap().push(number);
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
    publishers: RecordingPublishers,
}

impl Case {
    fn new(pages: Vec<Result<Page, StravaError>>) -> Self {
        let mut api = MockClients::default();
        api.connections.expect_get_access_token().returning(|_, request| {
            assert_eq!(request.athlete_id, ADA);
            Ok(GetAccessTokenResponse { access_token: TOKEN.to_owned(), ..Default::default() })
        });
        Self {
            script: Arc::new(Script { pages: Mutex::new(pages.into()), asked: Mutex::default() }),
            api,
            publishers: RecordingPublishers::default(),
        }
    }

    /// The api takes batches of these sizes, in this order, and knew none of the activities before.
    fn taking(mut self, sizes: &'static [usize]) -> Self {
        let mut expected = sizes.iter();
        let mut known = HashSet::new();
        self.api.activities.expect_upsert_activities().times(sizes.len()).returning(
            move |context, request| {
                assert!(context.remaining().unwrap() <= DEADLINE);
                assert_eq!(request.athlete_id, ADA);
                assert_eq!(Some(&request.activities.len()), expected.next());
                let new = |activity: &&Activity| known.insert(activity.activity_id);
                let inserted =
                    i32::try_from(request.activities.iter().filter(new).count()).unwrap();
                Ok(UpsertActivitiesResponse { inserted, ..Default::default() })
            },
        );
        self
    }

    /// Delivers the job once: what becomes of it, what was told, and the pages asked for.
    async fn run(self) -> (Outcome, Vec<AthleteSyncEnded>, Vec<u32>) {
        let clients = self.api.into_clients();
        let strava = Arc::clone(&self.script);
        let ended = Arc::clone(&self.publishers.athlete_sync_ended);
        let handler = SyncAthletes::new(strava, &clients, ended, DEADLINE);
        let outcome = testing::sync_athlete(Arc::new(handler)).deliver(&job()).await;
        let asked = self.script.asked.lock().unwrap().clone();
        (outcome, self.publishers.athlete_sync_ended.events(), asked)
    }
}

fn job() -> SyncAthlete {
    SyncAthlete {
        athlete_id: ADA.to_owned(),
        request_id: "r1".to_owned(),
        reason: SyncReason::Consent.into(),
        request_time: None,
        full: false,
    }
}

fn page(ids: std::ops::Range<i64>) -> Result<Page, StravaError> {
    let activities =
        ids.map(|activity_id| Activity { activity_id, ..Default::default() }).collect();
    Ok(Page { activities, skipped: Vec::new() })
}

#[tokio::test]
async fn all_pages_go_to_the_api_and_the_end_is_told() {
    // The second page is short, and the third repeats an activity of it.
    let pages = vec![page(1..201), page(201..204), page(203..205), page(0..0)];
    let (outcome, ended, asked) = Case::new(pages).taking(&[200, 3, 2]).run().await;
    outcome.assert_acknowledged();
    assert_eq!(asked, [1, 2, 3, 4]);
    assert_eq!(ended.len(), 1);
    assert_eq!((ended[0].athlete_id.as_str(), ended[0].request_id.as_str()), (ADA, "r1"));
    assert_eq!(ended[0].outcome(), SyncOutcome::Succeeded);
    assert_eq!((ended[0].activities, ended[0].inserted), (204, 204));
    assert!(ended[0].end_time.is_some());
}

#[tokio::test]
async fn an_athlete_without_activities_has_synced_well() {
    let (outcome, ended, _) = Case::new(vec![page(0..0)]).run().await;
    outcome.assert_acknowledged();
    assert_eq!((ended[0].outcome(), ended[0].activities), (SyncOutcome::Succeeded, 0));
}

#[tokio::test]
async fn batches_keep_to_what_the_api_takes() {
    let (outcome, _, _) =
        Case::new(vec![page(1..2502), page(0..0)]).taking(&[1000, 1000, 501]).run().await;
    outcome.assert_acknowledged();
}

#[tokio::test]
async fn unusable_activities_are_counted_and_end_nothing() {
    let unusable = Ok(Page { activities: Vec::new(), skipped: vec!["name", "id"] });
    let (outcome, ended, asked) =
        Case::new(vec![unusable, page(1..2), page(0..0)]).taking(&[1]).run().await;
    outcome.assert_acknowledged();
    assert_eq!(asked.len(), 3);
    assert_eq!((ended[0].activities, ended[0].inserted), (3, 1));
}

#[tokio::test]
async fn an_athlete_who_must_consent_ends_the_sync() {
    let mut case = Case::new(Vec::new());
    case.api.connections = MockConnectionsService::new();
    case.api
        .connections
        .expect_get_access_token()
        .returning(|_, _| Err(Error::new(Code::FailedPrecondition, "consent first")));
    let (outcome, ended, asked) = case.run().await;
    outcome.assert_acknowledged();
    assert!(asked.is_empty());
    assert_eq!(ended[0].outcome(), SyncOutcome::NeedsConsent);

    let (outcome, ended, _) = Case::new(vec![Err(StravaError::MissingPermission)]).run().await;
    outcome.assert_acknowledged();
    assert_eq!(ended[0].outcome(), SyncOutcome::NeedsConsent);
}

#[tokio::test]
async fn every_other_failure_is_the_jobs_and_nothing_is_told() {
    let mut case = Case::new(Vec::new());
    case.api.connections = MockConnectionsService::new();
    case.api
        .connections
        .expect_get_access_token()
        .returning(|_, _| Err(Error::new(Code::Unavailable, "away")));
    let (outcome, ended, _) = case.run().await;
    let error = outcome.assert_comes_again(FIRST_BACKOFF);
    assert_eq!((error.code(), ended.len()), (Code::Unavailable, 0));

    let wait = Duration::from_secs(77);
    let limited = StravaError::RateLimited { retry_after: wait };
    let case = Case::new(vec![page(1..3), Err(limited)]).taking(&[2]);
    let (outcome, ended, _) = case.run().await;
    let error = outcome.assert_comes_again(wait);
    assert_eq!((error.code(), ended.len()), (Code::ResourceExhausted, 0));

    // The api's own refusal is no lack of consent.
    let mut case = Case::new(vec![page(1..3)]);
    case.api
        .activities
        .expect_upsert_activities()
        .returning(|_, _| Err(Error::new(Code::FailedPrecondition, "no")));
    let (outcome, ended, _) = case.run().await;
    let error = outcome.assert_dead_lettered();
    assert_eq!((error.code(), ended.len()), (Code::FailedPrecondition, 0));
}

#[tokio::test]
async fn a_job_whose_end_cannot_be_told_is_not_done() {
    let case = Case::new(vec![page(0..0)]);
    case.publishers.athlete_sync_ended.fail_next(Error::new(Code::Unavailable, "stream away"));
    let (outcome, ended, _) = case.run().await;
    let error = outcome.assert_comes_again(FIRST_BACKOFF);
    assert_eq!((error.code(), ended.len()), (Code::Unavailable, 0));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_ends_at_its_deadline() {
    let (outcome, _, asked) = Case::new(vec![page(1..2)]).taking(&[1]).run().await;
    assert_eq!(outcome.assert_comes_again(FIRST_BACKOFF).code(), Code::DeadlineExceeded);
    assert_eq!(asked, [1, 2]);
}
