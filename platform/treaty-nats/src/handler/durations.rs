//! How long handlers take, in buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long handlers took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandlingTimes {
    /// Messages handled, also those that failed.
    pub count: u64,
    /// Their times together.
    pub sum: Duration,
    /// For each of [`HandlingTimes::BOUNDS`] the messages that took no longer, those of
    /// shorter bounds included, as Prometheus counts its buckets.
    pub within: [u64; HandlingTimes::BOUNDS.len()],
}

impl HandlingTimes {
    /// The bounds of the buckets, in milliseconds.
    pub const BOUNDS: [u64; 12] =
        [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 30_000, 60_000, 300_000];
}

/// Counts durations by bucket.
#[derive(Debug, Default)]
pub(super) struct Durations {
    /// One more than there are bounds, for what took longer than all.
    buckets: [AtomicU64; HandlingTimes::BOUNDS.len() + 1],
    nanos: AtomicU64,
}

impl Durations {
    pub(super) fn add(&self, took: Duration) {
        let bucket = HandlingTimes::BOUNDS
            .iter()
            .position(|bound| took <= Duration::from_millis(*bound))
            .unwrap_or(HandlingTimes::BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> HandlingTimes {
        let mut count = 0;
        let mut within = [0; HandlingTimes::BOUNDS.len()];
        for (index, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            if let Some(within) = within.get_mut(index) {
                *within = count;
            }
        }
        let sum = Duration::from_nanos(self.nanos.load(Ordering::Relaxed));
        HandlingTimes { count, sum, within }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_its_bucket_and_those_above() {
        let durations = Durations::default();
        for millis in [1, 3, 400_000] {
            durations.add(Duration::from_millis(millis));
        }
        let times = durations.snapshot();
        assert_eq!(times.count, 3);
        assert_eq!(times.sum, Duration::from_millis(400_004));
        assert_eq!(times.within[..3], [1, 2, 2]);
        assert_eq!(times.within[11], 2, "what took longer than all bounds is in count alone");
    }
}
