//! One message from delivery to its answer.

use std::marker::PhantomData;
use std::sync::Arc;

use async_nats::{Message, Subject};
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use treaty_telemetry::durations::MessagesAcked;

use super::answer::Answer;
use super::load::{InHand, Load};
use super::order::{Order, Place};
use super::progress::{InProgress, Progress};
use super::stops::Stops;
use super::trace;
use super::{Delivery, Handle, HandlerLimit, HandlerOptions, HandlerStats};
use crate::{Connection, Event, HandlerSpec};

/// Handles messages: [`Worker::take`] in the order in which they come, then
/// [`Worker::work_until_abandoned`] side by side.
pub(super) struct Worker<E, H: ?Sized> {
    pub(super) connection: Connection,
    pub(super) spec: &'static HandlerSpec,
    pub(super) handler: Arc<H>,
    pub(super) stats: Arc<HandlerStats>,
    pub(super) times: MessagesAcked,
    pub(super) load: Arc<Load>,
    pub(super) progress: Arc<Progress>,
    /// Shared with other handlers.
    pub(super) limit: Option<HandlerLimit>,
    /// Keys in order, and the slots for them: where messages wait without a slot, the number
    /// of those in hand does not bound those in work.
    pub(super) order: Option<(Arc<Order>, Semaphore)>,
    pub(super) stops: Stops,
    event: PhantomData<fn(E)>,
}

/// A message that was taken, with its place among those of its key.
pub(super) struct Taken {
    delivery: Delivery,
    payload: Bytes,
    reply: Subject,
    place: Option<Place>,
    in_hand: InHand,
    in_progress: InProgress,
}

impl<E, H> Worker<E, H>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    pub(super) fn new(
        connection: Connection,
        spec: &'static HandlerSpec,
        handler: Arc<H>,
        stats: Arc<HandlerStats>,
        options: &HandlerOptions,
        shutdown: CancellationToken,
    ) -> Self {
        let limit = options.limit.clone();
        let ordered = !spec.ordered_by.is_empty();
        Self {
            connection,
            spec,
            handler,
            load: Arc::new(Load::new(spec, limit.clone(), Arc::clone(&stats))),
            times: MessagesAcked::of(spec.durable),
            progress: Arc::default(),
            stats,
            limit,
            order: ordered.then(|| (Arc::default(), Semaphore::new(spec.concurrency))),
            stops: Stops::new(shutdown),
            event: PhantomData,
        }
    }

    /// Takes a message from the server's hands. Called in the order of their delivery.
    pub(super) fn take(&self, mut message: Message) -> Option<Taken> {
        let headers = message.headers.take().unwrap_or_default();
        let reply = message.reply.take();
        let delivery = reply.as_deref().and_then(|reply| Delivery::of(reply, &message, headers));
        let (Some(delivery), Some(reply)) = (delivery, reply) else {
            tracing::error!(subject = %message.subject, "not a delivery of a consumer, ignored");
            return None;
        };
        self.stats.delivered.add_one();
        if delivery.is_redelivery() {
            self.stats.redelivered.add_one();
        }
        let place = self.order.as_ref().map(|(order, _)| {
            order.enter(&self.spec.order_key(&delivery.subject), delivery.stream_sequence)
        });
        Some(Taken {
            in_hand: self.load.take(message.payload.len()),
            in_progress: self.progress.begin(reply.clone()),
            payload: message.payload,
            delivery,
            reply,
            place,
        })
    }

    /// Handles a message and answers, unless nobody waits for it any more.
    pub(super) async fn work_until_abandoned(&self, taken: Taken) {
        tokio::select! {
            biased;
            () = self.work(taken) => {}
            () = self.stops.abandon.cancelled() => {}
        }
    }

    async fn work(&self, taken: Taken) {
        let span = trace::span(self.spec, &taken.delivery);
        self.decide_and_answer(taken).instrument(span).await;
    }

    async fn decide_and_answer(&self, taken: Taken) {
        let Taken { mut delivery, payload, reply, place, in_hand, in_progress } = taken;
        let turn = match place {
            None => Ok(None),
            Some(place) => self.turn(place, &in_hand).await.map(Some),
        };
        let (answer, turn) = match turn {
            Ok(Some(turn)) => self.decide_in_order(&mut delivery, &payload, &in_hand, turn).await,
            Ok(None) => (self.decide(&delivery, &payload).await, None),
            Err(wait) => (self.give_back(&delivery, &payload, wait).await, None),
        };
        let answered = answer.send(self.connection.client(), &reply, self.spec.ack).await;
        // Answered or not, from here on it is the server's.
        drop((in_progress, turn));
        // Counted before its slot is free, so that whoever sees nothing in hand sees all counts.
        match (answered, answer) {
            (false, _) => self.stats.unanswered.add_one(),
            (true, Answer::Ack) => self.stats.acked.add_one(),
            (true, Answer::Retry(_) | Answer::Term | Answer::Replaced) => {}
        }
        drop(in_hand);
    }
}
