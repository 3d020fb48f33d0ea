//! Work that the api does by itself: the relay of the outbox, and syncs.

use std::time::Duration;

use serde::Deserialize;

use super::{Problem, unmet};
use crate::sync::SyncSettings;

/// The relay of the outbox.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxConfig {
    /// Messages published at a time.
    pub batch: u32,
    /// Seconds after which it looks without having been told to.
    pub poll_seconds: u64,
    /// Seconds that a published message is kept for people to look at.
    pub keep_published_seconds: u32,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        Self { batch: 200, poll_seconds: 5, keep_published_seconds: 7 * 24 * 3600 }
    }
}

/// Syncs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncConfig {
    /// Seconds without a sign of life after which another sync of the athlete may take over.
    pub lease_seconds: u32,
    /// Seconds before what is known that a sync asks for once more, because activities are uploaded
    /// late.
    pub overlap_seconds: u32,
    /// Seconds between two looks for syncs that never ended although others wait for them.
    pub orphans_seconds: u64,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self { lease_seconds: 60, overlap_seconds: 7 * 24 * 3600, orphans_seconds: 30 }
    }
}

impl OutboxConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        unmet([
            (self.batch > 0, "outbox.batch", "at least 1"),
            (self.poll_seconds > 0, "outbox.poll_seconds", "at least 1"),
        ])
    }
}

impl SyncConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        unmet([
            // A consumer renews a lease three times before it ends.
            (self.lease_seconds >= 3, "sync.lease_seconds", "at least 3"),
            (self.orphans_seconds > 0, "sync.orphans_seconds", "at least 1"),
        ])
    }

    /// What the rules are told.
    #[must_use]
    pub fn settings(&self) -> SyncSettings {
        SyncSettings {
            lease_time: Duration::from_secs(self.lease_seconds.into()),
            overlap: Duration::from_secs(self.overlap_seconds.into()),
        }
    }
}
