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

/// Makes a version current, once the server has heard of it.
async fn set_current(build_id: &str) {
    let describe = ["worker", "deployment", "describe", "--name", "greeters", "--output", "json"];
    let wanted = format!("\"{build_id}\"");
    eventually("the server knows the version", || async {
        let command = describe.map(str::to_owned).to_vec();
        let known = tokio::spawn(cli(command)).await;
        known.is_ok_and(|known| known.contains(&wanted)).then_some(())
    })
    .await;
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
    cli(set.map(str::to_owned).to_vec()).await;
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
    cli(unset.map(str::to_owned).to_vec()).await;
}
