//! The workflow `DispatchSyncs`: names the dispatch and has its jobs published.
#![allow(missing_docs, reason = "the macro adds constants and documents none of them")]

use std::time::{SystemTime, UNIX_EPOCH};

use temporalio_workflow::{WorkflowContext, WorkflowResult, workflow, workflow_methods};
use treaty_temporal::{WorkflowContract as _, execute_activity};
use worker_port::sync_v1::dispatch_service::{DispatchSyncs, PublishSyncJobs};
use worker_port::sync_v1::{DispatchSyncsRequest, DispatchSyncsResponse, PublishSyncJobsRequest};
use worker_port::well_known::Timestamp;

/// Athletes asked from the api at a time, when the request names no number.
pub const DEFAULT_PAGE_SIZE: i32 = 500;

/// Implements [`DispatchSyncs`].
#[workflow]
#[derive(Debug, Default)]
pub struct DispatchSyncsWorkflow;

#[workflow_methods]
impl DispatchSyncsWorkflow {
    /// One dispatch.
    ///
    /// # Errors
    /// The jobs cannot be published, and trying again does not help.
    #[run(name = DispatchSyncs::SPEC.name)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: DispatchSyncsRequest,
    ) -> WorkflowResult<DispatchSyncsResponse> {
        // The server gives every start an id of its own and keeps it through retries and resets:
        // repeated work finds the jobs of its first try, the next dispatch does not. The id of the
        // workflow would not do, for two starts within one second share it.
        let info = ctx.info();
        let request = PublishSyncJobsRequest {
            request_id: info.first_execution_run_id().to_owned(),
            page_size: if input.page_size == 0 { DEFAULT_PAGE_SIZE } else { input.page_size },
            request_time: info.start_time().map(timestamp),
        };
        let jobs = execute_activity::<PublishSyncJobs, _>(ctx, request).await?;
        Ok(DispatchSyncsResponse { published: jobs.published, duplicates: jobs.duplicates })
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    // No workflow was started before the epoch, nor will one be after the year 292 billion.
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    #[test]
    fn times_keep_their_fraction() {
        let time = UNIX_EPOCH + Duration::new(1_800_000_000, 7);
        assert_eq!(timestamp(time), Timestamp { seconds: 1_800_000_000, nanos: 7 });
    }
}
