//! Search attributes at a real server.

use std::sync::Arc;

use treaty_temporal::{
    Error, SearchAttributeKind, SearchAttributeSource, SearchAttributeSpec, WorkflowContract as _,
    WorkflowSpec,
};

use crate::contracts::{Composer, Greet};
use crate::server::{World, cli, eventually, request};

/// Ids of the workflows that a query finds.
async fn found(query: &str) -> Vec<String> {
    let command = ["workflow", "list", "--query", query, "--output", "json"];
    let listed = cli(&command).await.unwrap();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let ids = listed.as_array().unwrap().iter();
    ids.map(|one| one["execution"]["workflowId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_found_by_what_their_contract_names() {
    let world = World::new().await;
    let worker = world.work(&Arc::new(Composer::new()));

    let run = world.starter.join(&request("Hedy")).await.unwrap();

    assert_eq!(run.workflow_id(), "greet-Hedy");
    run.result().await.unwrap();
    let listed = eventually("the run is listed", || async {
        let ids = found("GreetName = 'Hedy'").await;
        (!ids.is_empty()).then_some(ids)
    })
    .await;
    assert_eq!(listed, ["greet-Hedy"]);
    assert!(found("GreetTask = 'greet'").await.contains(&"greet-Hedy".to_owned()));
    worker.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_of_another_type_is_refused_and_a_second_registration_is_not() {
    let world = World::new().await;
    world.connection.register_search_attributes(&[Greet::SPEC]).await.unwrap();
    let other = WorkflowSpec {
        search_attributes: &[SearchAttributeSpec {
            name: "GreetName",
            kind: SearchAttributeKind::Int,
            source: SearchAttributeSource::Field("age"),
        }],
        ..*Greet::SPEC
    };

    let refused = world.connection.register_search_attributes(&[&other]).await.unwrap_err();

    let Error::SearchAttribute { name, reason, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(name, "GreetName");
    assert!(reason.contains("Keyword") && reason.contains("Int"), "{reason}");
}
