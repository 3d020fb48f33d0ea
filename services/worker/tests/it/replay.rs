//! Recorded histories against the workflows as they are now. A failure here means that workflows
//! which are open while this version is rolled out would be stuck: docs/workflows.md says what to do.

use serde_json::Value;
use temporalio_workflow::{WorkflowContext, WorkflowResult, workflow, workflow_methods};
use treaty_temporal::{Error, WorkflowContract as _, execute_activity};
use worker::workflows::{BackfillAthleteWorkflow, DispatchSyncsWorkflow, ReconcileSyncsWorkflow};
use worker_port::sync_v1::dispatch_service::{
    AwaitSync, BackfillAthlete, DispatchSyncs, ReconcileSyncs, TASK_QUEUE,
};
use worker_port::sync_v1::{AwaitSyncRequest, BackfillAthleteRequest, BackfillAthleteResponse};
use worker_port::testing::Replayer;

use crate::servers::histories;

/// Replays a history of any workflow of this service.
pub(crate) async fn replay(history: &[u8]) -> Result<(), Error> {
    Replayer::new(TASK_QUEUE)
        .workflow::<DispatchSyncs, DispatchSyncsWorkflow>()
        .workflow::<ReconcileSyncs, ReconcileSyncsWorkflow>()
        .workflow::<BackfillAthlete, BackfillAthleteWorkflow>()
        .replay(history)
        .await
}

/// The recorded histories by name.
fn recorded() -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(histories()).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = paths.into_iter().map(|path| {
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
    });
    named.collect()
}

fn workflow_type(history: &[u8]) -> String {
    let history: Value = serde_json::from_slice(history).unwrap();
    let started = &history["events"][0]["workflowExecutionStartedEventAttributes"];
    started["workflowType"]["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_recorded_history_replays() {
    let mut types = Vec::new();
    for (name, history) in recorded() {
        if let Err(error) = replay(&history).await {
            let error = treaty_error::Error::from(error);
            panic!("{name}: {}", error.chain());
        }
        types.push(workflow_type(&history));
    }
    for workflow in [DispatchSyncs::SPEC, ReconcileSyncs::SPEC, BackfillAthlete::SPEC] {
        assert!(types.iter().any(|name| name == workflow.name), "none of {}", workflow.name);
    }
}

/// `BackfillAthlete` as somebody might change it without thinking of open workflows: it waits
/// without having published the job.
#[workflow]
#[derive(Debug, Default)]
struct HastyBackfill;

#[workflow_methods]
impl HastyBackfill {
    #[run(name = BackfillAthlete::SPEC.name)]
    async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: BackfillAthleteRequest,
    ) -> WorkflowResult<BackfillAthleteResponse> {
        let wait = AwaitSyncRequest { athlete_id: input.athlete_id, request_time: None };
        let ended = execute_activity::<AwaitSync, _>(ctx, wait).await?;
        Ok(BackfillAthleteResponse { walk_time: ended.walk_time, ..Default::default() })
    }
}

#[tokio::test]
async fn a_changed_workflow_does_not_replay() {
    let of_backfill =
        |(_, history): &(String, Vec<u8>)| workflow_type(history) == BackfillAthlete::SPEC.name;
    let histories: Vec<_> = recorded().into_iter().filter(of_backfill).collect();
    assert!(!histories.is_empty());
    for (name, history) in histories {
        let hasty = Replayer::new(TASK_QUEUE).workflow::<BackfillAthlete, HastyBackfill>();
        let error = hasty.replay(&history).await.unwrap_err();
        assert!(matches!(error, Error::Replay { .. }), "{name}: {error:?}");
    }
}
