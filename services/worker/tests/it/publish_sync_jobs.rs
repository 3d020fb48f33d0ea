//! The activity on a mocked api and a recording publisher.

use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error, Result};
use treaty_nats::testing::RecordingPublisher;
use treaty_temporal::{ActivityContext, ActivityHandler as _};
use worker::activities::SyncJobPublisher;
use worker_port::athletes_v1::{
    AthletesService, ConnectionState, ListAthletesResponse, MockAthletesService,
};
use worker_port::sync_v1::{
    PublishSyncJobsRequest, PublishSyncJobsResponse, SyncAthlete, SyncReason,
};
use worker_port::well_known::Timestamp;

use crate::api::{Api, athlete, athlete_id};

type Jobs = Arc<RecordingPublisher<SyncAthlete>>;

const NOW: Timestamp = Timestamp { seconds: 1_800_000_000, nanos: 0 };

fn request(request_id: &str) -> PublishSyncJobsRequest {
    PublishSyncJobsRequest {
        request_id: request_id.to_owned(),
        page_size: 2,
        request_time: Some(NOW),
    }
}

fn first_attempt() -> ActivityContext {
    ActivityContext::detached(CancellationToken::new())
}

fn publisher(service: impl AthletesService, jobs: &Jobs) -> SyncJobPublisher {
    let jobs = Arc::clone(jobs);
    SyncJobPublisher::new(Arc::new(service), jobs, 3).with_checkpoint_every(2)
}

async fn dispatch(api: &Api, jobs: &Jobs, request_id: &str) -> Result<PublishSyncJobsResponse> {
    publisher(api.service(), jobs).run(&first_attempt(), request(request_id)).await
}

fn published(jobs: &Jobs) -> Vec<String> {
    jobs.events().into_iter().map(|job| job.athlete_id).collect()
}

fn ids(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(athlete_id).collect()
}

#[tokio::test]
async fn every_connected_athlete_gets_one_job() {
    let (api, jobs) = (Api::with_athletes(7), Jobs::default());

    let done = dispatch(&api, &jobs, "r1").await.unwrap();

    assert_eq!(done, PublishSyncJobsResponse { published: 7, duplicates: 0 });
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

    let done = publisher(service, &jobs).run(&first_attempt(), request("r1")).await.unwrap();

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
    assert_eq!(repeated, PublishSyncJobsResponse { published: 3, duplicates: 2 });
    assert_eq!(next, PublishSyncJobsResponse { published: 5, duplicates: 0 });
    assert_eq!(jobs.events().len(), 10);
}

#[tokio::test]
async fn an_attempt_goes_on_from_the_last_checkpoint() {
    let (api, jobs) = (Api::with_athletes(7), Jobs::default());
    let checkpoint = json!({"page_token": "4", "published": 3, "duplicates": 1});
    let context = ActivityContext::detached_after(CancellationToken::new(), &checkpoint).unwrap();

    let done = publisher(api.service(), &jobs).run(&context, request("r1")).await.unwrap();

    assert_eq!(done, PublishSyncJobsResponse { published: 6, duplicates: 1 });
    assert_eq!(published(&jobs), ids(4..7));
    assert_eq!(api.tokens(), ["4", "6"]);
}

#[tokio::test]
async fn an_unreadable_checkpoint_is_as_none() {
    let (api, jobs) = (Api::with_athletes(3), Jobs::default());
    let strange = json!(["of", "another", "version"]);
    let context = ActivityContext::detached_after(CancellationToken::new(), &strange).unwrap();

    let done = publisher(api.service(), &jobs).run(&context, request("r1")).await.unwrap();

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
    assert_eq!(repeated, PublishSyncJobsResponse { published: 1, duplicates: 2 });
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

    let outcome = publisher(service, &Jobs::default()).run(&first_attempt(), request("r1")).await;

    assert_eq!(outcome.unwrap_err().code(), Code::Internal);
}

#[tokio::test]
async fn a_dispatch_without_a_name_is_refused() {
    let (api, jobs) = (Api::with_athletes(3), Jobs::default());

    let error = dispatch(&api, &jobs, "").await.unwrap_err();

    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.violations()[0].field, "request_id");
    assert!(api.asked().is_empty());
}

/// An api that never answers.
struct Silent;

#[async_trait::async_trait]
impl AthletesService for Silent {
    async fn register_athlete(
        &self,
        _: &treaty_rpc::Context,
        _: worker_port::athletes_v1::RegisterAthleteRequest,
    ) -> Result<worker_port::athletes_v1::RegisterAthleteResponse> {
        std::future::pending().await
    }

    async fn get_athlete(
        &self,
        _: &treaty_rpc::Context,
        _: worker_port::athletes_v1::GetAthleteRequest,
    ) -> Result<worker_port::athletes_v1::GetAthleteResponse> {
        std::future::pending().await
    }

    async fn list_athletes(
        &self,
        _: &treaty_rpc::Context,
        _: worker_port::athletes_v1::ListAthletesRequest,
    ) -> Result<ListAthletesResponse> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn it_stops_when_told_to() {
    let token = CancellationToken::new();
    let context = ActivityContext::detached(token.clone());
    let publisher = publisher(Silent, &Jobs::default());
    let running = publisher.run(&context, request("r1"));
    token.cancel();

    assert_eq!(running.await.unwrap_err().code(), Code::Cancelled);
}
