//! A recorded history against the code that made it, and against other code.

use std::sync::Arc;

use temporalio_workflow::{WorkflowContext, WorkflowResult, workflow, workflow_methods};
use treaty_temporal::testing::Replayer;
use treaty_temporal::{Error, RunRef, WorkflowContract as _, execute_activity};

use crate::contracts::{
    Compose, Composer, Greet, GreetRequest, GreetResponse, GreetWorkflow, QUEUE,
};
use crate::server::{World, cli, request};

/// Greets twice.
#[workflow]
#[derive(Default)]
struct Effusive;

#[workflow_methods]
impl Effusive {
    #[run(name = Greet::SPEC.name)]
    async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: GreetRequest,
    ) -> WorkflowResult<GreetResponse> {
        execute_activity::<Compose, _>(ctx, input.clone()).await?;
        Ok(execute_activity::<Compose, _>(ctx, input).await?)
    }
}

/// Greets twice where the run began with this code, and once where it did not.
#[workflow]
#[derive(Default)]
struct Patched;

#[workflow_methods]
impl Patched {
    #[run(name = Greet::SPEC.name)]
    async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: GreetRequest,
    ) -> WorkflowResult<GreetResponse> {
        if ctx.patched("greets-twice") {
            execute_activity::<Compose, _>(ctx, input.clone()).await?;
        }
        Ok(execute_activity::<Compose, _>(ctx, input).await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_replays_until_the_code_decides_otherwise() {
    let world = World::new().await;
    let worker = world.work(&Arc::new(Composer::new()));
    let run = world.starter.start("greet-replayed", &request("Ada")).await.unwrap();
    run.result().await.unwrap();
    let reference = RunRef {
        workflow: Greet::SPEC.name,
        workflow_id: "greet-replayed".to_owned(),
        run_id: run.run_id().map(str::to_owned),
    };
    let history = world.connection.history(&reference).await.unwrap();

    let same = Replayer::new(QUEUE).workflow::<Greet, GreetWorkflow>();
    same.replay(&history).await.unwrap();
    let other = Replayer::new(QUEUE).workflow::<Greet, Effusive>();
    let refused = other.replay(&history).await.unwrap_err();
    assert!(matches!(refused, Error::Replay { .. }), "{refused:?}");
    let patched = Replayer::new(QUEUE).workflow::<Greet, Patched>();
    patched.replay(&history).await.unwrap();

    // What an operator saves from the CLI is the same to it.
    let show = ["workflow", "show", "--workflow-id", "greet-replayed", "--output", "json"];
    let shown = cli(&show).await.unwrap();
    let same = Replayer::new(QUEUE).workflow::<Greet, GreetWorkflow>();
    same.replay(shown.as_bytes()).await.unwrap();
    let nothing = Replayer::new(QUEUE).replay(&history).await.unwrap_err();
    assert!(matches!(nothing, Error::Registration { .. }), "{nothing:?}");
    worker.finish().await;
}
