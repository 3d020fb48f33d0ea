//! What all publishers of a run have done so far.

use std::sync::atomic::{AtomicU64, Ordering};

use treaty_error::Error;

use super::PublishProgress;
use crate::Published;

/// Counts over all publishers of a run, and the limit at which it is given up.
pub(super) struct Tally {
    fed: AtomicU64,
    published: AtomicU64,
    duplicates: AtomicU64,
    failed: AtomicU64,
    max_failures: u64,
}

impl Tally {
    pub(super) fn new(max_failures: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self { fed: zero(), published: zero(), duplicates: zero(), failed: zero(), max_failures }
    }

    pub(super) fn fed(&self, messages: usize) {
        self.fed.fetch_add(u64::try_from(messages).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn count(&self, outcome: &Result<Published, Error>) {
        let counter = match outcome {
            Ok(Published { duplicate: false, .. }) => &self.published,
            Ok(_) => &self.duplicates,
            Err(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Release);
    }

    /// Whether more has failed than the run may lose.
    pub(super) fn is_given_up(&self) -> bool {
        self.failed.load(Ordering::Relaxed) > self.max_failures
    }

    pub(super) fn progress(&self) -> PublishProgress {
        // What is settled was fed before: this order never shows more settled than fed.
        let published = self.published.load(Ordering::Acquire);
        let duplicates = self.duplicates.load(Ordering::Acquire);
        let failed = self.failed.load(Ordering::Acquire);
        let fed = self.fed.load(Ordering::Acquire);
        PublishProgress { fed, published, duplicates, failed }
    }
}
