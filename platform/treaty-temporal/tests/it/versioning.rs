//! Worker Deployment Versioning at a real server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use treaty_temporal::{DeploymentConfig, VersionChange, WorkerConfig};

use crate::contracts::Composer;
use crate::server::{World, cli, eventually, request};

fn version(build_id: &str) -> WorkerConfig {
    let deployment = DeploymentConfig {
        name: "greeters".to_owned(),
        build_id: Some(build_id.to_owned()),
        open_workflows: VersionChange::Stay,
    };
    WorkerConfig { deployment: Some(deployment), ..WorkerConfig::default() }
}

/// Makes a version current. The server refuses that until it has heard of the version, and of each
/// of its task queues.
async fn set_current(build_id: &str) {
    let set = [
        "worker",
        "deployment",
        "set-current-version",
        "--deployment-name",
        "greeters",
        "--build-id",
        build_id,
        "--yes",
    ];
    let attempt = async || cli(&set).await.ok();
    eventually("the server knows the version", attempt).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_workflow_stays_with_its_version_and_new_ones_go_to_the_current() {
    let world = World::new().await;
    let (old, new) = (Arc::new(Composer::new()), Arc::new(Composer::new()));
    let first = world.work_with(&old, version("v1"));
    set_current("v1").await;
    let open = world.starter.start("greet-open", &request("patient")).await.unwrap();
    eventually("the activity begins", || async {
        (old.begun.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;

    let second = world.work_with(&new, version("v2"));
    set_current("v2").await;
    let begun = world.starter.execute("greet-new", &request("Ada")).await.unwrap();

    assert_eq!(begun.greeting, "Hello, Ada!");
    assert_eq!((old.begun.load(Ordering::SeqCst), new.begun.load(Ordering::SeqCst)), (1, 1));
    old.gate.add_permits(1);
    assert_eq!(open.result().await.unwrap().greeting, "Hello, patient!");
    assert_eq!(new.begun.load(Ordering::SeqCst), 1, "the new version was not asked");
    first.finish().await;
    second.finish().await;
    // The other tests' workers have no version.
    let unset = [
        "worker",
        "deployment",
        "set-current-version",
        "--deployment-name",
        "greeters",
        "--unversioned",
        "--yes",
    ];
    cli(&unset).await.unwrap();
}
