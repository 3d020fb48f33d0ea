//! What dispatches to many athletes have in common: activities that publish some pages each, and
//! another run before the history grows long.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use temporalio_workflow::{ActivityExecutionError, WorkflowContext};
use treaty_temporal::execute_activity;
use worker_port::sync_v1::dispatch_service::PublishSyncJobs;
use worker_port::sync_v1::{DispatchProgress, PublishSyncJobsRequest, SyncReason};
use worker_port::well_known::Timestamp;

/// Athletes asked from the api at a time, when the request names no number.
pub const DEFAULT_PAGE_SIZE: i32 = 500;

/// Pages that one activity publishes, when the request names no number: a lost activity costs its
/// pages at most, and a million athletes take twenty.
pub const DEFAULT_PAGES_PER_ACTIVITY: i32 = 100;

/// Activities of one run, when the request names no number. An activity takes six events, and a
/// server warns at 10,240 and ends a run at 51,200.
pub const DEFAULT_ACTIVITIES_PER_RUN: i32 = 100;

/// The sizes of a dispatch. Recorded with its input, so that other defaults do not change what an
/// open workflow decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) page: i32,
    pub(super) pages_per_activity: i32,
    pub(super) activities_per_run: i32,
}

impl Sizes {
    /// Takes the defaults for what is 0.
    pub(super) fn or_default(self) -> Self {
        let given = |number: i32, otherwise| if number > 0 { number } else { otherwise };
        Self {
            page: given(self.page, DEFAULT_PAGE_SIZE),
            pages_per_activity: given(self.pages_per_activity, DEFAULT_PAGES_PER_ACTIVITY),
            activities_per_run: given(self.activities_per_run, DEFAULT_ACTIVITIES_PER_RUN),
        }
    }
}

/// What all jobs of a dispatch share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jobs {
    pub(super) reason: SyncReason,
    pub(super) full: bool,
    /// Only athletes without a sync for so long before the dispatch was asked for.
    pub(super) not_synced_for: Option<Duration>,
}

/// How a run ends.
pub(super) enum Step {
    /// All athletes have their jobs.
    Done(DispatchProgress),
    /// Another run goes on there.
    GoesOn(DispatchProgress),
}

/// Publishes pages until there are no more, or until this run has had its activities.
pub(super) async fn publish<W>(
    ctx: &WorkflowContext<W>,
    sizes: Sizes,
    jobs: Jobs,
    progress: Option<DispatchProgress>,
) -> Result<Step, ActivityExecutionError> {
    let sizes = sizes.or_default();
    let mut progress = progress.unwrap_or_else(|| begin(ctx));
    for _ in 0..sizes.activities_per_run {
        let request = request(sizes, jobs, &progress);
        let done = execute_activity::<PublishSyncJobs, _>(ctx, request).await?;
        progress.published += done.published;
        progress.duplicates += done.duplicates;
        progress.page_token = done.next_page_token;
        if progress.page_token.is_empty() {
            return Ok(Step::Done(progress));
        }
        // The server's word, which is part of the history and so the same in each replay.
        if ctx.continue_as_new_suggested() {
            break;
        }
    }
    Ok(Step::GoesOn(progress))
}

/// The beginning of a dispatch.
fn begin<W>(ctx: &WorkflowContext<W>) -> DispatchProgress {
    let info = ctx.info();
    DispatchProgress {
        // The server gives every start an id of its own and keeps it through retries and resets:
        // repeated work finds the jobs of its first try, the next dispatch does not. The id of the
        // workflow would not do, for two starts within one second share it.
        request_id: info.first_execution_run_id().to_owned(),
        request_time: info.start_time().map(timestamp),
        ..DispatchProgress::default()
    }
}

fn request(sizes: Sizes, jobs: Jobs, progress: &DispatchProgress) -> PublishSyncJobsRequest {
    let before = |time: &Timestamp, span: Duration| Timestamp {
        seconds: time.seconds.saturating_sub(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)),
        nanos: time.nanos,
    };
    PublishSyncJobsRequest {
        request_id: progress.request_id.clone(),
        page_size: sizes.page,
        request_time: progress.request_time,
        page_token: progress.page_token.clone(),
        max_pages: sizes.pages_per_activity,
        reason: jobs.reason.into(),
        full: jobs.full,
        not_synced_since: jobs
            .not_synced_for
            .and_then(|span| progress.request_time.as_ref().map(|time| before(time, span))),
    }
}

/// A time in the contract's terms.
pub(super) fn timestamp(time: SystemTime) -> Timestamp {
    // No workflow was started before the epoch, nor will one be after the year 292 billion.
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { page: 0, pages_per_activity: 7, activities_per_run: 0 };

    #[test]
    fn times_keep_their_fraction() {
        let time = UNIX_EPOCH + Duration::new(1_800_000_000, 7);
        assert_eq!(timestamp(time), Timestamp { seconds: 1_800_000_000, nanos: 7 });
    }

    #[test]
    fn sizes_that_are_not_given_have_defaults() {
        let sizes = SIZES.or_default();
        assert_eq!((sizes.page, sizes.pages_per_activity, sizes.activities_per_run), (500, 7, 100));
    }

    #[test]
    fn the_bound_counts_back_from_the_request_and_stays_the_same_in_later_runs() {
        let asked = Timestamp { seconds: 1_800_000_000, nanos: 7 };
        let progress = DispatchProgress {
            request_id: "r1".to_owned(),
            request_time: Some(asked),
            page_token: "p2".to_owned(),
            ..DispatchProgress::default()
        };
        let jobs = Jobs {
            reason: SyncReason::Reconcile,
            full: true,
            not_synced_for: Some(Duration::from_secs(3600)),
        };

        let request = request(SIZES.or_default(), jobs, &progress);

        let bound = Timestamp { seconds: 1_800_000_000 - 3600, nanos: 7 };
        assert_eq!(request.not_synced_since, Some(bound));
        assert_eq!((request.page_token.as_str(), request.max_pages), ("p2", 7));
        assert_eq!((request.reason(), request.full), (SyncReason::Reconcile, true));
    }
}
