//! The messages of one publisher that are not settled yet.

use std::time::Duration;

use tokio::time::Instant;

use super::prepared::Prepared;

/// The first wait before a message is sent again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A table of slots. A message keeps its slot and its number from the first time it is
/// sent until it is settled, so that the answer to any of its repetitions settles it, and
/// one that comes late finds nobody.
pub(super) struct Window {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    serial: u64,
}

/// A message and how it is doing.
pub(super) struct Slot {
    pub(super) message: Prepared,
    /// When it is given up.
    pub(super) deadline: Instant,
    number: u64,
    wait: Duration,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// Sent at this moment, and not answered yet.
    Sent(Instant),
    /// To be sent again at this moment.
    Resting(Instant),
}

/// What there is to do for a slot.
pub(super) enum Due {
    Nothing,
    /// The message of this number is to be sent again.
    Again(u64),
    /// The message of this number has not been answered in time.
    Unanswered(u64),
}

impl Window {
    pub(super) fn new(size: usize) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(size, || None);
        Self { slots, free: (0..size).rev().collect(), serial: 0 }
    }

    pub(super) fn size(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    /// Free slots.
    pub(super) fn room(&self) -> usize {
        self.free.len()
    }

    /// A number that no other message of this publisher has had.
    pub(super) fn number(&mut self, slot: usize) -> u64 {
        self.serial += 1;
        self.serial * self.slots.len() as u64 + slot as u64
    }

    /// Puts a message, which is about to be sent, into a free slot; gives its number, or
    /// the message back when there is none.
    pub(super) fn open(&mut self, message: Prepared, deadline: Instant) -> Result<u64, Prepared> {
        let Some(index) = self.free.pop() else { return Err(message) };
        let number = self.number(index);
        let state = State::Resting(deadline);
        self.slots[index] = Some(Slot { message, deadline, number, wait: FIRST_WAIT, state });
        Ok(number)
    }

    pub(super) fn get(&mut self, number: u64) -> Option<&mut Slot> {
        let index = self.index(number);
        self.slots.get_mut(index)?.as_mut().filter(|slot| slot.number == number)
    }

    /// Takes a message out, because it is settled.
    pub(super) fn close(&mut self, number: u64) -> Option<Slot> {
        let index = self.index(number);
        let slot = self.slots.get_mut(index)?.take_if(|slot| slot.number == number)?;
        self.free.push(index);
        Some(slot)
    }

    /// What there is to do for one slot, when an answer may take so long.
    pub(super) fn due(&self, index: usize, now: Instant, answer_timeout: Duration) -> Due {
        match self.slots.get(index) {
            Some(Some(slot)) => match slot.state {
                State::Sent(at) if now >= at + answer_timeout => Due::Unanswered(slot.number),
                State::Resting(until) if now >= until => Due::Again(slot.number),
                _ => Due::Nothing,
            },
            _ => Due::Nothing,
        }
    }

    /// Makes everything that was sent and not answered be sent again at once: the
    /// connection that would have brought the answers is gone.
    pub(super) fn send_all_again(&mut self, now: Instant) {
        for slot in self.slots.iter_mut().flatten() {
            if matches!(slot.state, State::Sent(_)) {
                slot.state = State::Resting(now);
            }
        }
    }

    fn index(&self, number: u64) -> usize {
        usize::try_from(number % self.slots.len() as u64).unwrap_or(usize::MAX)
    }
}

impl Slot {
    pub(super) fn sent(&mut self, now: Instant) {
        self.state = State::Sent(now);
    }

    pub(super) fn is_resting(&self) -> bool {
        matches!(self.state, State::Resting(_))
    }

    /// Lets it rest before it is sent again. False when it would be given up before.
    pub(super) fn rest(&mut self, now: Instant, jitter: Duration) -> bool {
        let until = now + self.wait + jitter;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        self.state = State::Resting(until);
        until < self.deadline
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    const ANSWER: Duration = Duration::from_secs(5);

    fn message() -> Prepared {
        Prepared::for_test(&mut BytesMut::new())
    }

    fn due(window: &Window, now: Instant) -> Vec<(bool, u64)> {
        let all = (0..window.size()).map(|index| window.due(index, now, ANSWER));
        all.filter_map(|due| match due {
            Due::Nothing => None,
            Due::Again(number) => Some((true, number)),
            Due::Unanswered(number) => Some((false, number)),
        })
        .collect()
    }

    #[test]
    fn an_answer_that_comes_late_finds_nobody() {
        let (mut window, later) = (Window::new(1), Instant::now() + Duration::from_secs(20));
        let first = window.open(message(), later).ok().unwrap();
        assert!(window.open(message(), later).is_err());
        assert!(window.close(first).is_some());
        assert!(window.close(first).is_none());
        let second = window.open(message(), later).ok().unwrap();
        assert!(window.get(first).is_none() && window.close(first).is_none());
        assert!(window.close(second).is_some() && window.is_empty());
    }

    #[test]
    fn what_is_not_answered_rests_longer_each_time_and_is_given_up() {
        let (mut window, start) = (Window::new(2), Instant::now());
        let number = window.open(message(), start + Duration::from_secs(20)).ok().unwrap();
        window.get(number).unwrap().sent(start);
        assert_eq!(due(&window, start + ANSWER / 2), []);
        assert_eq!(due(&window, start + ANSWER), [(false, number)]);
        let mut now = start;
        let mut waits = Vec::new();
        while window.get(number).unwrap().rest(now, Duration::ZERO) {
            let wait =
                (1..).map(Duration::from_millis).find(|wait| !due(&window, now + *wait).is_empty());
            waits.push(wait.unwrap().as_millis());
            now += wait.unwrap();
        }
        assert_eq!(waits[..7], [50, 100, 200, 400, 800, 1_600, 2_000]);
        assert!(now > start + Duration::from_secs(18));
    }

    #[test]
    fn a_new_connection_makes_what_was_sent_due_at_once() {
        let (mut window, now) = (Window::new(4), Instant::now());
        let later = now + Duration::from_secs(20);
        let numbers: Vec<_> = (0..3).map(|_| window.open(message(), later).ok().unwrap()).collect();
        window.get(numbers[0]).unwrap().sent(now);
        window.get(numbers[1]).unwrap().sent(now);
        assert!(window.get(numbers[2]).unwrap().rest(now, Duration::ZERO));
        window.send_all_again(now);
        assert_eq!(due(&window, now), [(true, numbers[0]), (true, numbers[1])]);
    }
}
