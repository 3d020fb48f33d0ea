//! One of the tasks that publish a feed.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, HeaderMap, HeaderValue, Message, Subject};
use bytes::BytesMut;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use treaty_error::Error;

use super::batches::Batches;
use super::parts::Parts;
use super::prepared::Prepared;
use super::replies::{Replies, stored};
use super::report::PublishReport;
use super::tally::Tally;
use super::window::{Due, Window};
use crate::connection::ANSWER_TIMEOUT;
use crate::{Connection, Event, Published, failure};

/// How often the messages in the window are looked through for those that are due. One
/// timer for all: a timer for each message would cost as much as sending it.
const SWEEP: Duration = Duration::from_millis(25);

/// Bytes of the buffers that payloads are cut from.
const BUFFER: usize = 16 << 10;

/// What all lanes of a run share.
pub(super) struct Shared<E> {
    pub(super) connection: Connection,
    pub(super) parts: Parts<E>,
    pub(super) tally: Arc<Tally>,
    pub(super) batches: Option<Arc<Batches>>,
    pub(super) window: usize,
    pub(super) give_up_after: Duration,
    /// What the run is part of, where that is traced.
    pub(super) caused_by: Option<HeaderValue>,
}

/// A publisher with a window of messages that are sent and not settled, or with one atomic
/// batch at a time.
pub(super) struct Lane<E> {
    pub(super) client: Client,
    pub(super) connection: Connection,
    pub(super) replies: Replies,
    pub(super) window: Window,
    /// Prepared, and waiting for room in the window.
    pub(super) waiting: VecDeque<Prepared>,
    pub(super) batches: Option<Arc<Batches>>,
    parts: Parts<E>,
    buffer: BytesMut,
    tally: Arc<Tally>,
    report: PublishReport,
    give_up_after: Duration,
    caused_by: Option<HeaderValue>,
    event: PhantomData<fn(E)>,
}

impl<E: Event> Lane<E> {
    /// # Errors
    /// The client is closed.
    pub(super) async fn new(shared: Shared<E>) -> Result<Self, Error> {
        let client = shared.connection.client().clone();
        Ok(Self {
            replies: Replies::subscribe(&client).await?,
            client,
            window: Window::new(shared.window),
            waiting: VecDeque::new(),
            batches: shared.batches,
            parts: shared.parts,
            buffer: BytesMut::with_capacity(BUFFER),
            tally: shared.tally,
            report: PublishReport::default(),
            give_up_after: shared.give_up_after,
            caused_by: shared.caused_by,
            connection: shared.connection,
            event: PhantomData,
        })
    }

    /// Publishes until the feed has ended and everything is settled, or the run is given up.
    pub(super) async fn run(mut self) -> PublishReport {
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connections = self.connection.connections();
        connections.mark_unchanged();
        let mut fed = true;
        loop {
            self.fill_window().await;
            let hungry = fed && self.is_hungry();
            let idle = self.window.is_empty() && !hungry;
            if idle || self.tally.is_given_up() {
                return self.report;
            }
            tokio::select! {
                Some(reply) = self.replies.next() => self.read(&reply),
                part = self.parts.next(), if hungry => match part {
                    Some(part) => self.take(part).await,
                    None => fed = false,
                },
                _ = sweep.tick(), if !self.window.is_empty() => self.send_due().await,
                Ok(()) = connections.changed() => self.window.send_all_again(Instant::now()),
            }
            while let Some(reply) = self.replies.here() {
                self.read(&reply);
            }
        }
    }

    /// A part is asked for when a good deal of the window is free, not for each slot: then
    /// messages leave in groups. A batch is not mixed with messages of their own.
    fn is_hungry(&self) -> bool {
        let free = self.window.room();
        let enough = match self.batches {
            Some(_) => self.window.size(),
            None => self.window.size().div_ceil(4),
        };
        self.waiting.is_empty() && free >= enough
    }

    async fn take(&mut self, part: Vec<E>) {
        let mut prepared = Vec::with_capacity(part.len());
        for event in part {
            match Prepared::new(&event, &mut self.buffer, self.caused_by.as_ref()) {
                Ok(message) => prepared.push(message),
                Err(error) => self.count(|| event.message_id(), Err(error)),
            }
        }
        match self.batches.clone() {
            Some(batches) => self.publish_in_batches(&batches, prepared).await,
            None => self.waiting.extend(prepared),
        }
    }

    async fn fill_window(&mut self) {
        while self.window.room() > 0
            && let Some(message) = self.waiting.pop_front()
        {
            match self.window.open(message, Instant::now() + self.give_up_after) {
                Ok(number) => self.transmit(number).await,
                Err(message) => self.waiting.push_front(message),
            }
        }
    }

    /// Sends a message of the window, for the first time or again.
    async fn transmit(&mut self, number: u64) {
        let Some(slot) = self.window.get(number) else { return };
        slot.sent(Instant::now());
        let (deadline, message) = (slot.deadline, &slot.message);
        let reply = match self.replies.subject(number) {
            Ok(reply) => reply,
            Err(error) => return self.failed(number, error),
        };
        let sending = self.client.publish_with_reply_and_headers(
            message.subject.clone(),
            reply,
            message.headers::<E>(),
            message.payload.clone(),
        );
        // Without a connection the client's queue fills up, and then sending waits.
        let error = match timeout_at(deadline, sending).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => failure::unsent(error),
            Err(_) => failure::not_connected(),
        };
        self.failed(number, error);
    }

    async fn send_due(&mut self) {
        let now = Instant::now();
        for index in 0..self.window.size() {
            match self.window.due(index, now, ANSWER_TIMEOUT) {
                Due::Nothing => {}
                Due::Again(number) => self.transmit(number).await,
                // Whether it is stored is unknown: its id makes repeating it safe.
                Due::Unanswered(number) => self.failed(number, failure::unacknowledged()),
            }
        }
    }

    fn read(&mut self, reply: &Message) {
        let Some(number) = self.replies.number(reply) else { return };
        match stored(reply) {
            Ok(stored) => {
                if self.window.close(number).is_some() {
                    self.count(|| None, Ok(stored.published));
                }
            }
            // A refusal of an earlier attempt tells nothing new about one that rests.
            Err(error) => {
                if self.window.get(number).is_some_and(|slot| !slot.is_resting()) {
                    self.failed(number, error);
                }
            }
        }
    }

    /// Lets a message be sent again later, or counts it as failed for good.
    fn failed(&mut self, number: u64, error: Error) {
        let jitter = Duration::from_millis(rand::random_range(0..50));
        if failure::may_publish_again(&error)
            && let Some(slot) = self.window.get(number)
            && slot.rest(Instant::now(), jitter)
        {
            let subject = slot.message.subject.as_str();
            tracing::debug!(subject, error = error.chain(), "publishing again");
        } else if let Some(slot) = self.window.close(number) {
            self.count(|| slot.message.message_id(), Err(error));
        }
    }

    pub(super) fn count(
        &mut self,
        message_id: impl FnOnce() -> Option<String>,
        outcome: Result<Published, Error>,
    ) {
        self.tally.count(&outcome);
        self.report.add(message_id, outcome);
    }

    /// Sends one message of a batch.
    pub(super) async fn send_part(
        &self,
        message: &Prepared,
        headers: HeaderMap,
        reply: Option<Subject>,
    ) -> Result<(), Error> {
        let (subject, payload) = (message.subject.clone(), message.payload.clone());
        let sent = match reply {
            Some(reply) => {
                self.client.publish_with_reply_and_headers(subject, reply, headers, payload).await
            }
            None => self.client.publish_with_headers(subject, headers, payload).await,
        };
        sent.map_err(failure::unsent)
    }
}
