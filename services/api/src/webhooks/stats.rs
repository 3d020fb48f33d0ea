//! What became of the events that came to this process.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the process began.
#[derive(Debug, Default)]
pub struct WebhookStats {
    recorded: AtomicU64,
    duplicates: AtomicU64,
    unknown_subscriptions: AtomicU64,
    unknown_owners: AtomicU64,
    unusable: AtomicU64,
    turned_away: AtomicU64,
}

/// The counts at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookCounts {
    /// New events of athletes whom we know.
    pub recorded: u64,
    /// Events that had come before.
    pub duplicates: u64,
    /// Events by a subscription that is not ours; ignored.
    pub unknown_subscriptions: u64,
    /// Events of athletes whom we do not know; ignored.
    pub unknown_owners: u64,
    /// Bodies that are no event, or one of an unknown kind; ignored.
    pub unusable: u64,
    /// Events that could not be recorded; Strava sends them again.
    pub turned_away: u64,
}

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    New,
    /// It had come before.
    Duplicate,
    /// It came by a subscription that is not ours.
    UnknownSubscription,
    /// It is of an athlete whom we do not know.
    UnknownOwner,
}

impl WebhookStats {
    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> WebhookCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        WebhookCounts {
            recorded: read(&self.recorded),
            duplicates: read(&self.duplicates),
            unknown_subscriptions: read(&self.unknown_subscriptions),
            unknown_owners: read(&self.unknown_owners),
            unusable: read(&self.unusable),
            turned_away: read(&self.turned_away),
        }
    }

    pub(super) fn count(&self, recorded: Recorded) {
        add(match recorded {
            Recorded::New => &self.recorded,
            Recorded::Duplicate => &self.duplicates,
            Recorded::UnknownSubscription => &self.unknown_subscriptions,
            Recorded::UnknownOwner => &self.unknown_owners,
        });
    }

    pub(super) fn count_unusable(&self) {
        add(&self.unusable);
    }

    pub(super) fn count_turned_away(&self) {
        add(&self.turned_away);
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
