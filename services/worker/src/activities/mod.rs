//! The activities that this service runs, one file each.

mod job_feed;
mod publish_sync_jobs;

pub use publish_sync_jobs::SyncJobPublisher;
