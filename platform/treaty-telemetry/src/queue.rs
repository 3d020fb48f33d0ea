//! The bound of what waits for the collector.
//!
//! The library's queue drops what it cannot hold and keeps the number to itself. So spans are
//! counted before they enter it, and what would not fit does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::durations;

/// How much waits, and how much was too much.
#[derive(Debug)]
pub(crate) struct Room {
    capacity: usize,
    waiting: AtomicUsize,
    /// Spans that found no room since the collector's thread looked last.
    lost: AtomicU64,
    /// Those of the whole time in which there was not enough.
    lost_in_all: AtomicU64,
    full: AtomicBool,
}

impl Room {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            waiting: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            lost_in_all: AtomicU64::new(0),
            full: AtomicBool::new(false),
        })
    }

    /// Whether one more may wait.
    pub(crate) fn enter(&self) -> bool {
        let more = |waiting: usize| (waiting < self.capacity).then_some(waiting + 1);
        let entered = self.waiting.try_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if !entered {
            self.lost.fetch_add(1, Ordering::Relaxed);
            durations::count_spans(1, "overflowed");
        }
        entered
    }

    /// So many have left the queue. What was lost is told from here, once when it begins and once
    /// when it ends: whoever ends a span may be in the midst of writing a line.
    pub(crate) fn leave(&self, count: usize) {
        let fewer = |waiting: usize| Some(waiting.saturating_sub(count));
        // It never refuses.
        let _ = self.waiting.try_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
        let lost = self.lost.swap(0, Ordering::Relaxed);
        self.lost_in_all.fetch_add(lost, Ordering::Relaxed);
        if lost > 0 && !self.full.swap(true, Ordering::Relaxed) {
            tracing::warn!(lost, "the queue of spans is full (traces.queue); more are dropped");
        } else if lost == 0 && self.full.swap(false, Ordering::Relaxed) {
            let dropped = self.lost_in_all.swap(0, Ordering::Relaxed);
            tracing::info!(dropped, "the queue of spans has room again");
        }
    }
}

/// Lets as many spans through as there is room for.
#[derive(Debug)]
pub(crate) struct Bounded<P> {
    pub(crate) inner: P,
    pub(crate) room: Arc<Room>,
}

impl<P: SpanProcessor> SpanProcessor for Bounded<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.room.enter() {
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_and_what_leaves_makes_room() {
        let room = Room::new(3);
        assert_eq!((0..5).filter(|_| room.enter()).count(), 3);
        assert_eq!(room.lost.load(Ordering::Relaxed), 2);
        room.leave(2);
        assert_eq!((0..5).filter(|_| room.enter()).count(), 2);
        assert_eq!(room.lost.load(Ordering::Relaxed), 3);
        room.leave(3);
        assert_eq!(room.lost_in_all.load(Ordering::Relaxed), 5);
        room.leave(0);
        assert!(!room.full.load(Ordering::Relaxed), "none was lost meanwhile");
    }
}
