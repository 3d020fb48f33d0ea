//! The activities of one athlete on stand-ins.

use std::sync::Arc;
use std::time::Duration;

use treaty_error::{Code, Error};
use worker::activities::{SingleJobPublisher, SyncWatch};
use worker_port::sync_v1::dispatch_service::{AwaitSync, PublishSyncJob};
use worker_port::sync_v1::{
    AwaitSyncRequest, PublishSyncJobRequest, PublishSyncJobResponse, SyncAthlete, SyncReason,
};
use worker_port::testing::{ActivityEnvironment, AttemptOutcome, RecordingPublisher};
use worker_port::well_known::Timestamp;

use crate::api::{Api, athlete_id};

const ASKED: Timestamp = Timestamp { seconds: 1_800_000_000, nanos: 500 };

fn job(athlete: usize) -> PublishSyncJobRequest {
    PublishSyncJobRequest {
        athlete_id: athlete_id(athlete),
        request_id: "r1".to_owned(),
        reason: SyncReason::Backfill.into(),
        request_time: Some(ASKED),
        full: true,
    }
}

#[tokio::test]
async fn the_job_is_published_once_however_often_it_is_tried() {
    let jobs = Arc::<RecordingPublisher<SyncAthlete>>::default();
    let publisher = SingleJobPublisher::new(Api::with_athletes(3).service(), jobs.clone());
    jobs.fail_next(Error::new(Code::Unavailable, "the stream has no leader"));
    let environment = ActivityEnvironment::new();
    let attempt =
        async || environment.attempt::<PublishSyncJob, _>(&publisher, &job(2)).await.unwrap();

    let first = attempt().await;
    assert!(matches!(first, AttemptOutcome::TriedAgain { .. }), "{first:?}");
    assert_eq!(attempt().await.completed(), PublishSyncJobResponse { duplicate: false });
    assert_eq!(attempt().await.completed(), PublishSyncJobResponse { duplicate: true });

    let expected = SyncAthlete {
        athlete_id: athlete_id(2),
        request_id: "r1".to_owned(),
        reason: SyncReason::Backfill.into(),
        request_time: Some(ASKED),
        full: true,
    };
    assert_eq!(jobs.events(), [expected]);
}

#[tokio::test]
async fn a_walk_counts_that_began_after_it_was_asked_for() {
    let api = Api::with_athletes(1);
    let watch =
        SyncWatch::new(api.service(), api.sync_service()).with_first_wait(Duration::from_millis(1));
    let request = AwaitSyncRequest { athlete_id: athlete_id(0), request_time: Some(ASKED) };
    // Five seconds are allowed between clocks.
    let before = Timestamp { seconds: ASKED.seconds - 6, ..ASKED };
    api.walked(0, before);
    // A sync of what is new is none.
    api.synced(0, Timestamp { seconds: ASKED.seconds + 60, ..ASKED });
    let environment = ActivityEnvironment::new();
    let waiting = environment.attempt::<AwaitSync, _>(&watch, &request);
    let ending = async {
        while environment.heartbeats::<()>().unwrap().len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        api.walked(0, ASKED);
    };

    let (outcome, ()) = tokio::join!(waiting, ending);

    assert_eq!(outcome.unwrap().completed().walk_time, Some(ASKED));
}

#[tokio::test]
async fn the_wait_ends_when_told_to_and_when_the_athlete_has_to_consent() {
    let api = Api::with_athletes(2);
    let watch =
        SyncWatch::new(api.service(), api.sync_service()).with_first_wait(Duration::from_millis(1));
    let request =
        |athlete| AwaitSyncRequest { athlete_id: athlete_id(athlete), request_time: Some(ASKED) };
    let environment = ActivityEnvironment::new();
    environment.cancel();
    let stopped = environment.attempt::<AwaitSync, _>(&watch, &request(0)).await.unwrap();
    assert!(matches!(stopped, AttemptOutcome::Cancelled), "{stopped:?}");

    api.revoke(1);
    for (athlete, code) in [(1, Code::FailedPrecondition), (5, Code::NotFound)] {
        let environment = ActivityEnvironment::new();
        let outcome = environment.attempt::<AwaitSync, _>(&watch, &request(athlete)).await.unwrap();
        let AttemptOutcome::Failed { error } = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.code(), code);
    }
}
