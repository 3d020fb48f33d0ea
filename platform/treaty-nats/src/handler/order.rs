//! Messages of one key: one at a time, and in the order of the stream.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// The keys that have a message in this process, with those that wait behind it.
#[derive(Default)]
pub(super) struct Order {
    keys: Mutex<HashMap<Box<str>, Queue>>,
}

/// Those that wait, by their place in the stream. The same message may be here twice, when
/// it was delivered again; the tickets tell the two apart.
#[derive(Default)]
struct Queue {
    tickets: u64,
    waiting: BTreeMap<(u64, u64), oneshot::Sender<Granted>>,
}

/// A message's place in the queue of its key.
pub(super) enum Place {
    /// Nothing of its key is before it.
    First(Turn),
    /// It waits.
    Behind(oneshot::Receiver<Granted>),
}

/// What a message that waited gets.
pub(super) enum Granted {
    /// It may be handled.
    Turn(Turn),
    /// One before it was given back to the server, and would be overtaken: it is to be
    /// given back too, and to come again after this wait.
    GivenBack(Duration),
}

/// The right to handle messages of a key. Passed on when it is dropped.
pub(super) struct Turn {
    order: Option<Arc<Order>>,
    key: Box<str>,
}

impl Order {
    /// Takes a place for a message, in the order of the stream among those that wait.
    pub(super) fn enter(self: &Arc<Self>, key: &str, sequence: u64) -> Place {
        let mut keys = self.lock();
        let Some(queue) = keys.get_mut(key) else {
            keys.insert(key.into(), Queue::default());
            return Place::First(self.turn(key.into()));
        };
        let (sender, receiver) = oneshot::channel();
        queue.tickets += 1;
        queue.waiting.insert((sequence, queue.tickets), sender);
        Place::Behind(receiver)
    }

    fn turn(self: &Arc<Self>, key: Box<str>) -> Turn {
        Turn { order: Some(Arc::clone(self)), key }
    }

    /// Gives the turn of a key to the next one that still waits.
    fn pass_on(self: &Arc<Self>, key: Box<str>) {
        let mut turn = self.turn(key);
        while let Some(next) = self.next(&turn.key) {
            match next.send(Granted::Turn(turn)) {
                Ok(()) => return,
                // Its task is gone.
                Err(Granted::Turn(back)) => turn = back,
                Err(Granted::GivenBack(_)) => return,
            }
        }
        // The key is free now, there is nothing left to pass on.
        turn.order = None;
    }

    /// The first one that waits. The key goes when there is none.
    fn next(&self, key: &str) -> Option<oneshot::Sender<Granted>> {
        let mut keys = self.lock();
        let next = keys.get_mut(key)?.waiting.pop_first();
        if next.is_none() {
            keys.remove(key);
        }
        next.map(|(_, sender)| sender)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Queue>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Ends the turn of a message that is given back, and gives back with it all that wait
    /// behind it, so that they do not overtake it.
    pub(super) fn give_back(mut self, wait: Duration) {
        let Some(order) = self.order.take() else { return };
        let queue = order.lock().remove(&self.key);
        for sender in queue.into_iter().flat_map(|queue| queue.waiting.into_values()) {
            // One whose task is gone needs no answer.
            let _ = sender.send(Granted::GivenBack(wait));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(order) = self.order.take() {
            order.pass_on(std::mem::take(&mut self.key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(place: Place) -> Turn {
        match place {
            Place::First(turn) => turn,
            Place::Behind(mut receiver) => match receiver.try_recv() {
                Ok(Granted::Turn(turn)) => turn,
                _ => panic!("has no turn"),
            },
        }
    }

    fn waits(place: &mut Place) -> bool {
        match place {
            Place::First(_) => false,
            Place::Behind(receiver) => receiver.is_empty(),
        }
    }

    #[test]
    fn a_key_is_handed_on_in_the_order_of_the_stream() {
        let order = Arc::new(Order::default());
        let first = turn(order.enter("a", 5));
        let mut late = order.enter("a", 9);
        let mut again = order.enter("a", 5);
        let mut middle = order.enter("a", 7);
        let other = turn(order.enter("b", 6));
        drop(first);
        assert!(!waits(&mut again), "delivered again, and so before the later ones");
        assert!(waits(&mut middle) && waits(&mut late));
        drop(turn(again));
        assert!(!waits(&mut middle) && waits(&mut late));
        drop(turn(middle));
        drop((turn(late), other));
        assert!(order.lock().is_empty(), "no key is kept that has no message");
    }

    #[test]
    fn one_that_gave_up_is_passed_over() {
        let order = Arc::new(Order::default());
        let first = turn(order.enter("a", 1));
        drop(order.enter("a", 2));
        let third = order.enter("a", 3);
        drop(first);
        drop(turn(third));
        assert!(order.lock().is_empty());
        // A turn that arrives where nobody looks any more is passed on too.
        let first = turn(order.enter("a", 1));
        let (second, third) = (order.enter("a", 2), order.enter("a", 3));
        drop(first);
        drop(second);
        drop(turn(third));
        assert!(order.lock().is_empty());
    }

    #[test]
    fn what_waits_is_given_back_with_the_one_before_it() {
        let order = Arc::new(Order::default());
        let first = turn(order.enter("a", 1));
        let Place::Behind(mut second) = order.enter("a", 2) else { panic!("must wait") };
        first.give_back(Duration::from_secs(7));
        assert!(matches!(second.try_recv(), Ok(Granted::GivenBack(wait)) if wait.as_secs() == 7));
        assert!(order.lock().is_empty());
    }
}
