//! The activities that this service runs, one file each.

mod athlete;
mod await_sync;
mod job_feed;
mod publish_sync_job;
mod publish_sync_jobs;

pub use await_sync::SyncWatch;
pub use publish_sync_job::SingleJobPublisher;
pub use publish_sync_jobs::SyncJobPublisher;
