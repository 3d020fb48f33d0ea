//! The workflow `BackfillAthlete`: one athlete's whole list, on demand.
#![allow(missing_docs, reason = "the macro adds constants and documents none of them")]

use temporalio_workflow::{WorkflowContext, WorkflowResult, workflow, workflow_methods};
use treaty_temporal::{WorkflowContract as _, execute_activity};
use worker_port::sync_v1::dispatch_service::{AwaitSync, BackfillAthlete, PublishSyncJob};
use worker_port::sync_v1::{
    AwaitSyncRequest, BackfillAthleteRequest, BackfillAthleteResponse, PublishSyncJobRequest,
    SyncReason,
};

use super::pages::timestamp;

/// Implements [`BackfillAthlete`].
#[workflow]
#[derive(Debug, Default)]
pub struct BackfillAthleteWorkflow;

#[workflow_methods]
impl BackfillAthleteWorkflow {
    /// One backfill.
    ///
    /// # Errors
    /// There is no such athlete, or the athlete has to consent first.
    #[run(name = BackfillAthlete::SPEC.name)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: BackfillAthleteRequest,
    ) -> WorkflowResult<BackfillAthleteResponse> {
        let info = ctx.info();
        let request_id = info.first_execution_run_id().to_owned();
        let request_time = info.start_time().map(timestamp);
        let job = PublishSyncJobRequest {
            athlete_id: input.athlete_id.clone(),
            request_id: request_id.clone(),
            reason: SyncReason::Backfill.into(),
            request_time,
            full: true,
        };
        execute_activity::<PublishSyncJob, _>(ctx, job).await?;
        let wait = AwaitSyncRequest { athlete_id: input.athlete_id, request_time };
        let ended = execute_activity::<AwaitSync, _>(ctx, wait).await?;
        Ok(BackfillAthleteResponse { request_id, walk_time: ended.walk_time })
    }
}
