//! The workflow `DispatchSyncs`: names the dispatch and has its jobs published.
#![allow(missing_docs, reason = "the macro adds constants and documents none of them")]

use temporalio_workflow::{
    ContinueAsNewOptions, WorkflowContext, WorkflowResult, workflow, workflow_methods,
};
use treaty_temporal::WorkflowContract as _;
use worker_port::sync_v1::dispatch_service::DispatchSyncs;
use worker_port::sync_v1::{DispatchSyncsRequest, DispatchSyncsResponse, SyncReason};

use super::pages::{Jobs, Sizes, Step, publish};

/// Implements [`DispatchSyncs`].
#[workflow]
#[derive(Debug, Default)]
pub struct DispatchSyncsWorkflow;

#[workflow_methods]
impl DispatchSyncsWorkflow {
    /// One run of a dispatch.
    ///
    /// # Errors
    /// The jobs cannot be published, and trying again does not help.
    #[run(name = DispatchSyncs::SPEC.name)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: DispatchSyncsRequest,
    ) -> WorkflowResult<DispatchSyncsResponse> {
        let sizes = Sizes {
            page: input.page_size,
            pages_per_activity: input.pages_per_activity,
            activities_per_run: input.activities_per_run,
        };
        let jobs = Jobs { reason: SyncReason::Schedule, full: false, not_synced_for: None };
        match publish(ctx, sizes, jobs, input.progress.clone()).await? {
            Step::Done(all) => {
                Ok(DispatchSyncsResponse { published: all.published, duplicates: all.duplicates })
            }
            Step::GoesOn(progress) => {
                let next = DispatchSyncsRequest { progress: Some(progress), ..input };
                match ctx.continue_as_new(next, ContinueAsNewOptions::default())? {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use treaty_temporal::{Worker, WorkerConfig};
    use worker_port::sync_v1::dispatch_service::TASK_QUEUE;

    use super::*;

    #[test]
    fn the_name_is_the_contracts() {
        assert_eq!(DispatchSyncsWorkflow::name(), DispatchSyncs::SPEC.name);
        Worker::new(TASK_QUEUE, WorkerConfig::default())
            .workflow::<DispatchSyncs, DispatchSyncsWorkflow>()
            .unwrap();
    }
}
