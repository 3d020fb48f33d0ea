//! Dispatches on a real Temporal server and a real nats-server.

use std::collections::BTreeSet;

use serde_json::json;
use treaty_error::{Code, Error};
use worker_port::sync_v1::dispatch_service::{DispatchSyncs, ReconcileSyncs};
use worker_port::sync_v1::{
    DispatchSyncsResponse, ReconcileSyncsResponse, SyncAthlete, SyncReason,
};
use worker_port::well_known::Timestamp;

use crate::api::{Api, athlete_id};
use crate::servers::recorded;
use crate::world::{World, reference};

const ATHLETES: usize = 23;

/// The athletes who got a job with this request id, each once.
fn athletes_of(jobs: &[SyncAthlete], request_id: &str, reason: SyncReason) -> BTreeSet<String> {
    let mut athletes = BTreeSet::new();
    for job in jobs.iter().filter(|job| job.request_id == request_id) {
        assert!(athletes.insert(job.athlete_id.clone()), "two jobs for {}", job.athlete_id);
        assert!(job.request_time.is_some());
        assert_eq!(job.reason(), reason);
    }
    athletes
}

#[tokio::test(flavor = "multi_thread")]
async fn each_dispatch_publishes_one_job_for_each_athlete() {
    // Once a day, and paused: the test alone says when.
    let schedule = json!({"every_seconds": 86_400, "page_size": 5, "paused_on_create": true});
    let world = World::start(Api::with_athletes(ATHLETES), json!({"schedule": schedule})).await;
    let dispatch = &world.app.schedules().dispatch;
    let all: BTreeSet<String> = (0..ATHLETES).map(athlete_id).collect();
    let everyone = i64::try_from(ATHLETES).unwrap();

    let (first, done) = world.run::<DispatchSyncs>(dispatch, 1).await;
    assert_eq!(done, DispatchSyncsResponse { published: everyone, duplicates: 0 });
    let jobs = world.arrived.wait_for(ATHLETES).await;
    assert_eq!(athletes_of(&jobs, &first.run_id, SyncReason::Schedule), all);

    // The second dispatch is another request, although the first was a moment ago.
    let (second, done) = world.run::<DispatchSyncs>(dispatch, 2).await;
    assert_eq!(done, DispatchSyncsResponse { published: everyone, duplicates: 0 });
    let jobs = world.arrived.wait_for(2 * ATHLETES).await;
    assert_eq!(athletes_of(&jobs, &second.run_id, SyncReason::Schedule), all);
    assert_ne!(first.run_id, second.run_id);

    // The third loses the api after two pages; its second attempt begins from the first page and
    // finds their jobs in the stream.
    world.api.fail_after(2, Error::new(Code::Unavailable, "the api restarts"));
    let (third, done) = world.run::<DispatchSyncs>(dispatch, 3).await;
    assert_eq!(done, DispatchSyncsResponse { published: everyone - 10, duplicates: 10 });
    let jobs = world.arrived.wait_for(3 * ATHLETES).await;
    assert_eq!(athletes_of(&jobs, &third.run_id, SyncReason::Schedule), all);

    recorded(&world.temporal, &reference::<DispatchSyncs>(&first), "dispatch").await;
    recorded(&world.temporal, &reference::<DispatchSyncs>(&third), "dispatch-retried").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconciliation_publishes_jobs_for_those_who_were_missed() {
    let now = i64::try_from(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(),
    )
    .unwrap();
    let api = Api::with_athletes(12);
    for athlete in 0..9 {
        // Every third was synced a moment ago, the others an hour and more.
        let ago = if athlete % 3 == 0 { 1 } else { 3600 + i64::try_from(athlete).unwrap() };
        api.synced(athlete, Timestamp { seconds: now - ago, nanos: 0 });
    }
    let config = json!({
        "schedule": {"paused": true},
        "reconcile": {
            "schedule": {"paused": true, "page_size": 2, "pages_per_activity": 2, "activities_per_run": 2},
            "not_synced_for_seconds": 3600,
            "full": true,
        },
    });
    let world = World::start(api, config).await;

    let reconcile = &world.app.schedules().reconcile;
    let (run, done) = world.run::<ReconcileSyncs>(reconcile, 1).await;

    let missed: BTreeSet<String> =
        (0..12).filter(|number| number % 3 != 0 || *number >= 9).map(athlete_id).collect();
    let number = i64::try_from(missed.len()).unwrap();
    assert_eq!(done, ReconcileSyncsResponse { published: number, duplicates: 0 });
    let jobs = world.arrived.wait_for(missed.len()).await;
    assert_eq!(athletes_of(&jobs, &run.run_id, SyncReason::Reconcile), missed);
    assert!(jobs.iter().all(|job| job.full));
    // All its runs ask for the same bound, whenever they come to it.
    let bounds: BTreeSet<_> = world
        .api
        .asked()
        .iter()
        .map(|asked| asked.not_synced_since.map(|time| (time.seconds, time.nanos)))
        .collect();
    assert_eq!(bounds.len(), 1, "{bounds:?}");
    recorded(&world.temporal, &reference::<ReconcileSyncs>(&run), "reconcile-continued").await;
    world.stop().await;
}
