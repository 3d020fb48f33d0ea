//! How many messages this process has in hand, and how many more it may ask for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use tokio::sync::Notify;

use super::{HandlerLimit, HandlerStats};
use crate::HandlerSpec;

/// Messages of an ordered handler that may be in hand at a time, waiting ones included:
/// what bounds memory when one key has very many, or when very many wait for their next
/// try. Then nothing is asked for until some are done.
pub(super) const MOST_IN_HAND: usize = 1_000;

/// Bytes of their payloads, likewise.
const MOST_BYTES: usize = 16 << 20;

/// What is in hand.
pub(super) struct Load {
    concurrency: usize,
    ordered: bool,
    limit: Option<HandlerLimit>,
    stats: Arc<HandlerStats>,
    bytes: AtomicUsize,
    /// Of the messages, those that take no slot because they wait: for an earlier one of
    /// their key, or for their next try.
    parked: AtomicUsize,
    /// The room at which somebody waits to be told.
    wanted: AtomicUsize,
    enough: Notify,
}

impl Load {
    pub(super) fn new(
        spec: &HandlerSpec,
        limit: Option<HandlerLimit>,
        stats: Arc<HandlerStats>,
    ) -> Self {
        Self {
            concurrency: spec.concurrency,
            ordered: !spec.ordered_by.is_empty(),
            limit,
            stats,
            bytes: AtomicUsize::new(0),
            parked: AtomicUsize::new(0),
            wanted: AtomicUsize::new(usize::MAX),
            enough: Notify::new(),
        }
    }

    /// Messages that may be in work or on their way beside those in hand.
    pub(super) fn room(&self) -> usize {
        let messages = usize::try_from(self.stats.taken.get()).unwrap_or(usize::MAX);
        let parked = self.parked.load(Ordering::Acquire);
        let busy = messages.saturating_sub(parked);
        let mut room = self.concurrency.saturating_sub(busy);
        if self.ordered {
            if self.bytes.load(Ordering::Acquire) >= MOST_BYTES {
                return 0;
            }
            // Each of those on their way may turn out to have to wait.
            room = room.min(MOST_IN_HAND.saturating_sub(messages));
        }
        match &self.limit {
            // With nothing of ours in work nothing would wake us when a slot is free, so
            // that one message is asked for in any case; it waits for its slot here.
            Some(limit) => room.min(limit.free().max(usize::from(busy == 0))),
            None => room,
        }
    }

    /// Waits until there is so much room. For one at a time: being woken for each message that
    /// leaves would cost more than the message.
    pub(super) async fn reaches(&self, wanted: usize) {
        self.wanted.store(wanted, Ordering::Relaxed);
        // Whoever leaves looks at what is wanted after it has left, and we at the room after we
        // have told: one of the two sees the other.
        fence(Ordering::SeqCst);
        while self.room() < wanted {
            self.enough.notified().await;
        }
    }

    /// Tells who waits for room, when there is enough.
    fn left(&self) {
        fence(Ordering::SeqCst);
        if self.room() >= self.wanted.load(Ordering::Relaxed) {
            self.enough.notify_one();
        }
    }

    /// Counts a message until the guard is dropped.
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> InHand {
        self.stats.taken.add_one();
        if self.ordered {
            self.bytes.fetch_add(bytes, Ordering::AcqRel);
        }
        InHand { load: Arc::clone(self), bytes }
    }
}

/// A message that is counted while this lives.
pub(super) struct InHand {
    load: Arc<Load>,
    bytes: usize,
}

impl InHand {
    /// Leaves its slot to others until the guard is dropped.
    pub(super) fn park(&self) -> Parked<'_> {
        self.load.parked.fetch_add(1, Ordering::AcqRel);
        self.load.left();
        Parked(&self.load)
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if self.load.ordered {
            self.load.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        }
        self.load.stats.taken.take_one();
        self.load.left();
    }
}

/// A message that takes no slot while this lives.
pub(super) struct Parked<'a>(&'a Load);

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        self.0.parked.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::HANDLER;
    use super::*;

    fn load(ordered: bool, limit: Option<HandlerLimit>) -> Arc<Load> {
        let ordered_by: &'static [usize] = if ordered { &[1] } else { &[] };
        Arc::new(Load::new(
            &HandlerSpec { concurrency: 2, ordered_by, ..HANDLER },
            limit,
            Arc::default(),
        ))
    }

    #[test]
    fn what_waits_takes_no_slot() {
        let load = load(true, None);
        let (first, _second) = (load.take(1), load.take(1));
        assert_eq!(load.room(), 0);
        let parked = first.park();
        assert_eq!(load.room(), 1);
        drop(parked);
        assert_eq!(load.room(), 0);
        drop(first);
        assert_eq!(load.room(), 1);
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_bytes() {
        let load = load(true, None);
        let many: Vec<_> = (0..MOST_IN_HAND).map(|_| load.take(1)).collect();
        let parked: Vec<_> = many.iter().map(InHand::park).collect();
        assert_eq!(load.room(), 0);
        drop(parked);
        drop(many);
        let heavy = load.take(MOST_BYTES);
        let parked = heavy.park();
        assert_eq!(load.room(), 0);
        drop(parked);
        drop(heavy);
        assert_eq!(load.room(), 2);
    }

    #[tokio::test]
    async fn who_waits_for_room_is_told_when_there_is_enough() {
        let load = load(true, None);
        let (first, second) = (load.take(1), load.take(1));
        let waiting = tokio::spawn({
            let load = Arc::clone(&load);
            async move { load.reaches(2).await }
        });
        tokio::task::yield_now().await;
        let parked = first.park();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "there is room for one");
        drop(parked);
        drop((first, second));
        waiting.await.unwrap();
        load.reaches(2).await;
    }

    #[tokio::test]
    async fn a_shared_limit_leaves_room_for_one_at_least() {
        let limit = HandlerLimit::new(1);
        let load = load(false, Some(limit.clone()));
        assert_eq!(load.room(), 1, "no more than the limit has");
        let elsewhere = limit.slot().await;
        assert_eq!(load.room(), 1, "somebody has to be woken");
        let waiting = load.take(1);
        assert_eq!(load.room(), 0);
        drop((elsewhere, waiting));
        assert_eq!(load.room(), 1);
    }
}
