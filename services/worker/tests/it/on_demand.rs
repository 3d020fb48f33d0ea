//! `BackfillAthlete` on real servers, as people start and find it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use treaty_temporal::{Error, NamedWorkflow as _, RunRef, WorkflowContract as _};
use worker_port::sync_v1::dispatch_service::BackfillAthlete;
use worker_port::sync_v1::{BackfillAthleteRequest, SyncReason};
use worker_port::well_known::Timestamp;

use crate::api::{Api, athlete_id};
use crate::servers::{PATIENCE, eventually, recorded};
use crate::world::World;

fn request(athlete: usize) -> BackfillAthleteRequest {
    BackfillAthleteRequest { athlete_id: athlete_id(athlete) }
}

fn later(seconds: u64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp { seconds: i64::try_from(now + seconds).unwrap(), nanos: 0 }
}

impl World {
    /// Ids of the workflows that a query finds.
    fn found(&self, query: &str) -> Vec<String> {
        let command = ["workflow", "list", "--query", query, "--output", "json"];
        let listed: Value =
            serde_json::from_str(&self.servers.temporal.cli(&command).unwrap()).unwrap();
        let ids = listed.as_array().unwrap().iter();
        ids.map(|one| one["execution"]["workflowId"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_athlete_is_backfilled_on_demand_and_found_by_search_attributes() {
    let paused = json!({"schedule": {"paused": true}});
    let world = World::start(Api::with_athletes(3), paused).await;
    world.api.walked(1, Timestamp { seconds: 1_700_000_000, nanos: 0 });
    let starter = world.starter::<BackfillAthlete>();

    // As docs/workflows.md has it.
    let (id, input) =
        (BackfillAthlete::workflow_id(&request(1)), json!({"athleteId": athlete_id(1)}));
    let command = [
        "workflow",
        "start",
        "--task-queue",
        "stravasync-dispatch",
        "--type",
        "BackfillAthlete",
        "--workflow-id",
        &id,
        "--input",
        &input.to_string(),
        "--id-conflict-policy",
        "UseExisting",
        "--search-attribute",
        &format!("TreatyAthleteId=\"{}\"", athlete_id(1)),
        "--search-attribute",
        "TreatyReason=\"SYNC_REASON_BACKFILL\"",
    ];
    world.servers.temporal.cli(&command).unwrap();
    let joined = starter.join(&request(1)).await.unwrap();

    let jobs = world.arrived.wait_for(1).await;
    assert_eq!(jobs[0].athlete_id, athlete_id(1));
    assert_eq!((jobs[0].reason(), jobs[0].full), (SyncReason::Backfill, true));
    assert_eq!(Some(jobs[0].request_id.as_str()), joined.run_id(), "the second start joined");
    let run = RunRef {
        workflow: BackfillAthlete::SPEC.name,
        workflow_id: id.clone(),
        run_id: joined.run_id().map(str::to_owned),
    };
    recorded(&world.temporal, &run, "backfill-open").await;

    // Somebody else's is found by its own athlete alone, as one of the same reason.
    let other = starter.join(&request(2)).await.unwrap();
    let query = |athlete| format!("TreatyAthleteId = '{}'", athlete_id(athlete));
    eventually("both are listed", async || {
        world.found("TreatyReason = 'SYNC_REASON_BACKFILL'").len() == 2
    })
    .await;
    assert_eq!(world.found(&query(1)), [id]);
    assert_eq!(world.found(&query(2)), [other.workflow_id()]);

    // The walk of long ago did not end the wait; this one does.
    let walk = later(60);
    world.api.walked(1, walk);
    let done = tokio::time::timeout(PATIENCE, joined.result()).await.unwrap().unwrap();
    assert_eq!(done.walk_time, Some(walk));
    assert_eq!(done.request_id, jobs[0].request_id);
    recorded(&world.temporal, &run, "backfill").await;
    other.cancel("the test is over").await.unwrap();
    let cancelled = tokio::time::timeout(PATIENCE, other.result()).await.unwrap().unwrap_err();
    assert!(
        matches!(cancelled, Error::WorkflowEnded { outcome: "cancelled", .. }),
        "{cancelled:?}"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_cannot_be_says_why() {
    let paused = json!({"schedule": {"paused": true}});
    let world = World::start(Api::with_athletes(2), paused).await;
    world.api.revoke(1);
    let starter = world.starter::<BackfillAthlete>();

    for (athlete, kind) in [(1, "FAILED_PRECONDITION"), (7, "NOT_FOUND")] {
        let run = starter.join(&request(athlete)).await.unwrap();
        let failed = tokio::time::timeout(PATIENCE, run.result()).await.unwrap().unwrap_err();
        let Error::WorkflowFailed { kind: told, .. } = &failed else { panic!("{failed:?}") };
        assert_eq!(told.as_deref(), Some(kind));
    }
    let wrong = BackfillAthleteRequest { athlete_id: "ada".to_owned() };
    let refused = starter.join(&wrong).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { .. }), "{refused:?}");

    // An athlete who revokes the consent in the meantime ends the wait.
    let run = starter.join(&request(0)).await.unwrap();
    world.arrived.wait_for(1).await;
    world.api.revoke(0);
    let failed = tokio::time::timeout(PATIENCE, run.result()).await.unwrap().unwrap_err();
    assert!(matches!(failed, Error::WorkflowFailed { .. }), "{failed:?}");
    world.stop().await;
}
