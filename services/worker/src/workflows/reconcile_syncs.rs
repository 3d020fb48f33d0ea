//! The workflow `ReconcileSyncs`: jobs for athletes whom webhooks and schedules have missed.
#![allow(missing_docs, reason = "the macro adds constants and documents none of them")]

use std::time::Duration;

use temporalio_workflow::{
    ContinueAsNewOptions, WorkflowContext, WorkflowResult, workflow, workflow_methods,
};
use treaty_temporal::WorkflowContract as _;
use worker_port::sync_v1::dispatch_service::ReconcileSyncs;
use worker_port::sync_v1::{ReconcileSyncsRequest, ReconcileSyncsResponse, SyncReason};

use super::pages::{Jobs, Sizes, Step, publish};

/// Time without a sync after which an athlete gets a job, when the request names none.
pub const DEFAULT_NOT_SYNCED_FOR: Duration = Duration::from_secs(2 * 24 * 3600);

/// Implements [`ReconcileSyncs`].
#[workflow]
#[derive(Debug, Default)]
pub struct ReconcileSyncsWorkflow;

#[workflow_methods]
impl ReconcileSyncsWorkflow {
    /// One run of a reconciliation.
    ///
    /// # Errors
    /// The jobs cannot be published, and trying again does not help.
    #[run(name = ReconcileSyncs::SPEC.name)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: ReconcileSyncsRequest,
    ) -> WorkflowResult<ReconcileSyncsResponse> {
        let sizes = Sizes {
            page: input.page_size,
            pages_per_activity: input.pages_per_activity,
            activities_per_run: input.activities_per_run,
        };
        let not_synced_for = match u64::try_from(input.not_synced_for_seconds) {
            Ok(0) | Err(_) => DEFAULT_NOT_SYNCED_FOR,
            Ok(seconds) => Duration::from_secs(seconds),
        };
        let jobs = Jobs {
            reason: SyncReason::Reconcile,
            full: input.full,
            not_synced_for: Some(not_synced_for),
        };
        match publish(ctx, sizes, jobs, input.progress.clone()).await? {
            Step::Done(all) => {
                Ok(ReconcileSyncsResponse { published: all.published, duplicates: all.duplicates })
            }
            Step::GoesOn(progress) => {
                let next = ReconcileSyncsRequest { progress: Some(progress), ..input };
                match ctx.continue_as_new(next, ContinueAsNewOptions::default())? {}
            }
        }
    }
}
