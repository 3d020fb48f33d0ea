//! The activity on a mocked api and a recording publisher.

use std::sync::Arc;

use serde_json::{Value, json};
use treaty_error::{Code, Error, Result};
use worker::activities::SyncJobPublisher;
use worker_port::athletes_v1::{
    AthletesService, ConnectionState, ListAthletesResponse, MockAthletesService,
};
use worker_port::sync_v1::dispatch_service::PublishSyncJobs;
use worker_port::sync_v1::{
    PublishSyncJobsRequest, PublishSyncJobsResponse, SyncAthlete, SyncReason,
};
use worker_port::testing::{ActivityEnvironment, AttemptOutcome, RecordingPublisher};
use worker_port::well_known::Timestamp;

use crate::api::{Api, athlete, athlete_id};

type Jobs = Arc<RecordingPublisher<SyncAthlete>>;

const NOW: Timestamp = Timestamp { seconds: 1_800_000_000, nanos: 0 };

fn request(request_id: &str) -> PublishSyncJobsRequest {
    PublishSyncJobsRequest {
        request_id: request_id.to_owned(),
        page_size: 2,
        request_time: Some(NOW),
        ..PublishSyncJobsRequest::default()
    }
}

fn publisher(service: Arc<dyn AthletesService>, jobs: &Jobs) -> SyncJobPublisher {
    let jobs = Arc::clone(jobs);
    SyncJobPublisher::new(service, jobs, 3).with_checkpoint_every(2)
}

async fn dispatch(api: &Api, jobs: &Jobs, request_id: &str) -> Result<PublishSyncJobsResponse> {
    run(&ActivityEnvironment::new(), publisher(api.service(), jobs), request_id).await
}

/// One attempt, as the worker would run it.
async fn attempt(
    environment: &ActivityEnvironment,
    publisher: SyncJobPublisher,
    request_id: &str,
) -> AttemptOutcome<PublishSyncJobsResponse> {
    let request = request(request_id);
    environment.attempt::<PublishSyncJobs, _>(&publisher, &request).await.unwrap()
}

async fn run(
    environment: &ActivityEnvironment,
    publisher: SyncJobPublisher,
    request_id: &str,
) -> Result<PublishSyncJobsResponse> {
    match attempt(environment, publisher, request_id).await {
        AttemptOutcome::Completed(done) => Ok(done),
        other => Err(other.error()),
    }
}

fn published(jobs: &Jobs) -> Vec<String> {
    jobs.events().into_iter().map(|job| job.athlete_id).collect()
}

/// The answer of an activity that has come to the end of the list.
fn all(published: i64, duplicates: i64) -> PublishSyncJobsResponse {
    PublishSyncJobsResponse { published, duplicates, ..PublishSyncJobsResponse::default() }
}

fn ids(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(athlete_id).collect()
}

#[tokio::test]
async fn every_connected_athlete_gets_one_job() {
    let (api, jobs) = (Api::with_athletes(7), Jobs::default());

    let done = dispatch(&api, &jobs, "r1").await.unwrap();

    assert_eq!(done, all(7, 0));
    assert_eq!(published(&jobs), ids(0..7));
    for job in jobs.events() {
        assert_eq!(job.request_id, "r1");
        assert_eq!(job.reason, i32::from(SyncReason::Schedule));
        assert_eq!(job.request_time, Some(NOW));
    }
    assert_eq!(api.tokens(), ["", "2", "4", "6"]);
    for asked in api.asked() {
        assert_eq!(asked.page_size, 2);
        assert_eq!(asked.connection_state, i32::from(ConnectionState::Connected));
    }
}

#[tokio::test]
async fn without_athletes_nothing_is_published() {
    let (api, jobs) = (Api::with_athletes(0), Jobs::default());

    let done = dispatch(&api, &jobs, "r1").await.unwrap();

    assert_eq!(done, PublishSyncJobsResponse::default());
    assert_eq!(api.tokens(), [""]);
}

#[tokio::test]
async fn empty_pages_in_the_middle_do_not_end_it() {
    let mut service = MockAthletesService::new();
    service.expect_list_athletes().times(6).returning(|_, request| {
        let number: usize = request.page_token.parse().unwrap_or(0);
        let athletes = if number == 4 { vec![athlete(0)] } else { Vec::new() };
        let next_page_token = if number < 5 { (number + 1).to_string() } else { String::default() };
        Ok(ListAthletesResponse { athletes, next_page_token })
    });
    let jobs = Jobs::default();

    let done =
        run(&ActivityEnvironment::new(), publisher(Arc::new(service), &jobs), "r1").await.unwrap();

    assert_eq!(done.published, 1);
}

#[tokio::test]
async fn a_repeated_attempt_publishes_nothing_twice_and_another_dispatch_everything_again() {
    let (api, jobs) = (Api::with_athletes(5), Jobs::default());
    api.fail_after(1, Error::new(Code::Unavailable, "the api restarts"));

    let failed = dispatch(&api, &jobs, "r1").await.unwrap_err();
    let repeated = dispatch(&api, &jobs, "r1").await.unwrap();
    let next = dispatch(&api, &jobs, "r2").await.unwrap();

    assert_eq!(failed.code(), Code::Unavailable);
    assert_eq!(repeated, all(3, 2));
    assert_eq!(next, all(5, 0));
    assert_eq!(jobs.events().len(), 10);
}

#[tokio::test]
async fn an_attempt_goes_on_from_the_last_checkpoint() {
    let (api, jobs) = (Api::with_athletes(7), Jobs::default());
    let checkpoint = json!({"page_token": "4", "published": 3, "duplicates": 1});
    let second = ActivityEnvironment::after_progress(&checkpoint).unwrap();

    let done = run(&second, publisher(api.service(), &jobs), "r1").await.unwrap();

    assert_eq!(done, all(6, 1));
    assert_eq!(published(&jobs), ids(4..7));
    assert_eq!(api.tokens(), ["4", "6"]);
}

#[tokio::test]
async fn a_failed_attempt_leaves_its_progress_for_the_next() {
    let (api, jobs) = (Api::with_athletes(7), Jobs::default());
    api.fail_after(3, Error::new(Code::Unavailable, "the api restarts"));
    let environment = ActivityEnvironment::new();

    let first = attempt(&environment, publisher(api.service(), &jobs), "r1").await;
    let second = attempt(&environment, publisher(api.service(), &jobs), "r1").await;

    assert!(matches!(first, AttemptOutcome::TriedAgain { .. }), "{first:?}");
    // The third page was published and not yet noted.
    assert_eq!(second.completed(), all(5, 2));
    assert_eq!(api.tokens(), ["", "2", "4", "6", "4", "6"]);
    let noted = environment.heartbeats::<Value>().unwrap();
    assert!(noted.iter().any(|progress| progress["page_token"] == "4"), "{noted:?}");
}

#[tokio::test]
async fn some_pages_are_published_from_a_place_and_the_next_place_is_told() {
    let (api, jobs) = (Api::with_athletes(11), Jobs::default());
    let mut request = PublishSyncJobsRequest {
        page_token: "2".to_owned(),
        max_pages: 3,
        reason: SyncReason::Reconcile.into(),
        full: true,
        ..request("r1")
    };
    let next = |request: PublishSyncJobsRequest| {
        let publisher = publisher(api.service(), &jobs);
        async move {
            let environment = ActivityEnvironment::new();
            environment
                .attempt::<PublishSyncJobs, _>(&publisher, &request)
                .await
                .unwrap()
                .completed()
        }
    };

    let some = next(request.clone()).await;
    assert_eq!(published(&jobs), ids(2..8));
    assert_eq!((some.published, some.next_page_token.as_str()), (6, "8"));
    request.page_token = some.next_page_token;
    assert_eq!(next(request).await, all(3, 0));

    assert_eq!(published(&jobs), ids(2..11));
    assert_eq!(api.tokens(), ["2", "4", "6", "8", "10"]);
    let job = jobs.events().remove(0);
    assert_eq!((job.reason(), job.full), (SyncReason::Reconcile, true));
}

#[tokio::test]
async fn an_attempt_publishes_what_the_one_before_left_of_its_pages() {
    let (api, jobs) = (Api::with_athletes(11), Jobs::default());
    let checkpoint = json!({"page_token": "6", "pages": 2, "published": 4});
    let second = ActivityEnvironment::after_progress(&checkpoint).unwrap();
    let request =
        PublishSyncJobsRequest { page_token: "2".to_owned(), max_pages: 3, ..request("r1") };

    let publisher = publisher(api.service(), &jobs);
    let done =
        second.attempt::<PublishSyncJobs, _>(&publisher, &request).await.unwrap().completed();

    assert_eq!(published(&jobs), ids(6..8));
    assert_eq!((done.published, done.next_page_token.as_str()), (6, "8"));
}

#[tokio::test]
async fn an_unreadable_checkpoint_is_as_none() {
    let (api, jobs) = (Api::with_athletes(3), Jobs::default());
    let strange = json!(["of", "another", "version"]);
    let second = ActivityEnvironment::after_progress(&strange).unwrap();

    let done = run(&second, publisher(api.service(), &jobs), "r1").await.unwrap();

    assert_eq!(done.published, 3);
}

#[tokio::test]
async fn a_job_that_is_not_published_fails_the_attempt_with_its_code() {
    let (api, jobs) = (Api::with_athletes(3), Jobs::default());
    jobs.fail_next(Error::new(Code::Unavailable, "the stream has no leader"));

    let error = dispatch(&api, &jobs, "r1").await.unwrap_err();

    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("1 of 3"), "{error}");
    assert!(error.message().contains("no leader"), "{error}");
    let repeated = dispatch(&api, &jobs, "r1").await.unwrap();
    assert_eq!(repeated, all(1, 2));
}

#[tokio::test]
async fn the_apis_refusal_keeps_its_code() {
    let (api, jobs) = (Api::with_athletes(3), Jobs::default());
    api.fail_after(0, Error::new(Code::PermissionDenied, "not the worker"));

    let error = dispatch(&api, &jobs, "r1").await.unwrap_err();

    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(jobs.events().is_empty());
}

#[tokio::test]
async fn a_list_that_does_not_move_on_is_not_followed_for_ever() {
    let mut service = MockAthletesService::new();
    let stuck = |_: &_, _| {
        let next_page_token = "same".to_owned();
        Ok(ListAthletesResponse { athletes: vec![athlete(0)], next_page_token })
    };
    service.expect_list_athletes().times(2).returning(stuck);

    let environment = ActivityEnvironment::new();
    let outcome = run(&environment, publisher(Arc::new(service), &Jobs::default()), "r1").await;

    assert_eq!(outcome.unwrap_err().code(), Code::Internal);
}

#[tokio::test]
async fn a_dispatch_without_a_name_is_refused() {
    let (api, jobs) = (Api::with_athletes(3), Jobs::default());

    let publisher = publisher(api.service(), &jobs);
    let outcome = attempt(&ActivityEnvironment::new(), publisher, "").await;

    let AttemptOutcome::Failed { error } = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.violations()[0].field, "request_id");
    assert!(api.asked().is_empty());
}

#[tokio::test]
async fn it_stops_when_told_to() {
    let environment = ActivityEnvironment::new();
    let stop = environment.cancellation();
    let mut service = MockAthletesService::new();
    // The list has no end, and its third page is when the workflow is cancelled.
    service.expect_list_athletes().returning(move |_, request| {
        let number: usize = request.page_token.parse().unwrap_or(0);
        if number == 2 {
            stop.cancel();
        }
        let next_page_token = (number + 1).to_string();
        Ok(ListAthletesResponse { athletes: vec![athlete(number)], next_page_token })
    });

    let outcome = attempt(&environment, publisher(Arc::new(service), &Jobs::default()), "r1").await;

    assert!(matches!(outcome, AttemptOutcome::Cancelled), "{outcome:?}");
}
