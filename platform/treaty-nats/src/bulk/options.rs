//! How a run works and how far it is.

use std::fmt;
use std::sync::Arc;

/// How [`publish_all`](crate::Publish::publish_all) works.
#[derive(Clone)]
pub struct PublishOptions {
    /// Tasks that publish at the same time.
    pub publishers: usize,
    /// Messages that each of them may have sent and not yet seen confirmed, as long as that
    /// is not more than 16,384 in all. Where messages go in atomic batches, each task has
    /// one batch of at most 1,000 messages instead.
    pub window: usize,
    /// Whether messages go in atomic batches where their stream is declared to take them.
    /// Without, or when the server does not know batches, they go one by one.
    pub atomic_batches: bool,
    /// Messages that may fail for good before the whole run is given up.
    pub max_failures: u64,
    /// Told how far the run is, after each page.
    pub on_progress: Option<Arc<dyn Fn(PublishProgress) + Send + Sync>>,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self {
            publishers: 10,
            window: 400,
            atomic_batches: true,
            max_failures: 100,
            on_progress: None,
        }
    }
}

impl fmt::Debug for PublishOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishOptions")
            .field("publishers", &self.publishers)
            .field("window", &self.window)
            .field("atomic_batches", &self.atomic_batches)
            .field("max_failures", &self.max_failures)
            .finish_non_exhaustive()
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublishProgress {
    /// Messages that the feeder has yielded.
    pub fed: u64,
    /// Messages that the stream has newly stored.
    pub published: u64,
    /// Messages that the stream had already.
    pub duplicates: u64,
    /// Messages that failed for good.
    pub failed: u64,
}
