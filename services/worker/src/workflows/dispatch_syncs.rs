//! Publishes a job for each connected athlete.
//!
//! A workflow is replayed from its history, so it does nothing but decide; whatever touches the
//! world is in the activity.

use chrono::{DateTime, Utc};
use temporalio_workflow::{WorkflowContext, WorkflowResult, workflow, workflow_methods};
use treaty_temporal::{WorkflowContract as _, execute_activity};
use worker_port::sync_v1::dispatch_service::{DispatchSyncs, PublishSyncJobs};
use worker_port::sync_v1::{DispatchSyncsRequest, DispatchSyncsResponse, PublishSyncJobsRequest};

/// The workflow [`DispatchSyncs`].
#[workflow]
#[derive(Default)]
pub struct DispatchSyncsWorkflow;

#[workflow_methods]
impl DispatchSyncsWorkflow {
    /// Runs the one activity, whose attempts all publish under the same request id.
    #[run(name = DispatchSyncs::SPEC.name)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: DispatchSyncsRequest,
    ) -> WorkflowResult<DispatchSyncsResponse> {
        let page_size = if request.page_size > 0 { request.page_size } else { 500 };
        let publish = PublishSyncJobsRequest {
            // The run is this dispatch and no other; it is the same on every replay.
            request_id: ctx.run_id().to_owned(),
            page_size,
            request_time: ctx.workflow_time().map(|time| DateTime::<Utc>::from(time).into()),
        };
        let done = execute_activity::<PublishSyncJobs, _>(ctx, publish).await?;
        Ok(DispatchSyncsResponse { published: done.published, duplicates: done.duplicates })
    }
}
