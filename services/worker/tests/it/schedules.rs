//! The schedules at a real Temporal server: created, updated, paused, resumed, described.

use std::time::Duration;

use serde_json::json;
use treaty_temporal::ScheduleStatus;

use crate::api::Api;
use crate::servers::{PATIENCE, Servers, eventually};
use crate::world::{World, app};

/// Starts a worker with this schedule, sees what Temporal has of it, and stops the worker.
async fn after_a_start(servers: &Servers, schedule: serde_json::Value) -> ScheduleStatus {
    let (app, shutdown) = app(servers, &Api::with_athletes(0), json!({"schedule": schedule})).await;
    let status = app.schedules().dispatch.describe().await.unwrap();
    shutdown.trigger();
    shutdown.wait(PATIENCE).await.unwrap();
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn each_start_makes_the_schedule_what_the_configuration_says() {
    let servers = Servers::start().await;
    let seconds = |number| Some(Duration::from_secs(number));

    let created = after_a_start(
        &servers,
        json!({"every_seconds": 86_400, "offset_seconds": 3600, "jitter_seconds": 60}),
    )
    .await;
    assert_eq!((created.every, created.offset), (seconds(86_400), seconds(3600)));
    assert_eq!((created.jitter, created.catchup_window), (seconds(60), seconds(86_400)));
    assert!(!created.paused);
    assert!(!created.next.is_empty());

    let updated =
        after_a_start(&servers, json!({"every_seconds": 43_200, "catchup_seconds": 600})).await;
    assert_eq!((updated.every, updated.offset), (seconds(43_200), None));
    assert_eq!((updated.jitter, updated.catchup_window), (None, seconds(600)));

    let paused = after_a_start(&servers, json!({"every_seconds": 43_200, "paused": true})).await;
    assert!(paused.paused);
    let kept = after_a_start(&servers, json!({"every_seconds": 43_200})).await;
    assert!(kept.paused, "a start that says nothing of it leaves the pause");
    let resumed = after_a_start(&servers, json!({"every_seconds": 43_200, "paused": false})).await;
    assert!(!resumed.paused);

    // A pause by hand, with its reason, outlives the next start.
    let by_hand =
        ["schedule", "toggle", "--schedule-id", "stravasync-dispatch", "--pause", "--reason"];
    servers.temporal.cli(&[&by_hand[..], &["Strava is down"]].concat()).unwrap();
    let kept = after_a_start(&servers, json!({"every_seconds": 43_200})).await;
    assert!(kept.paused);
    assert_eq!(kept.note, "Strava is down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatch_that_is_still_running_skips_the_next() {
    let api = Api::gated(3);
    let world = World::start(api, json!({"schedule": {"every_seconds": 86_400}})).await;
    let dispatch = &world.app.schedules().dispatch;
    dispatch.trigger().await.unwrap();
    eventually("the dispatch asks for its first page", async || world.api.pages() == 1).await;

    dispatch.trigger().await.unwrap();

    let status = async || dispatch.describe().await.unwrap();
    eventually("the second start is skipped", async || status().await.skipped == 1).await;
    assert_eq!(status().await.started, 1);
    world.api.open();
    world.arrived.wait_for(3).await;
    eventually("the dispatch ends", async || status().await.running.is_empty()).await;
    world.stop().await;
}
