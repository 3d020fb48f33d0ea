//! One file for each activity.

mod publish_sync_jobs;

pub use publish_sync_jobs::PublishSyncJobsActivity;
