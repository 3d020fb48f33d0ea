//! One message from delivery to its answer.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, Subject};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use treaty_error::{Code, Error};
use treaty_telemetry::durations;

use super::answer::Answer;
use super::dead_letter;
use super::load::{InHand, Load};
use super::order::{Granted, Order, Place, Turn};
use super::progress::{InProgress, Progress};
use super::trace;
use super::verdict::{Verdict, handle, verdict};
use super::{Delivery, Handle, HandlerLimit, HandlerOptions, HandlerStats};
use crate::{Connection, Event, HandlerSpec};

/// Handles messages: [`Worker::take`] in the order in which they come, then
/// [`Worker::work_until_abandoned`] side by side.
pub(super) struct Worker<E, H: ?Sized> {
    connection: Connection,
    spec: &'static HandlerSpec,
    handler: Arc<H>,
    pub(super) stats: Arc<HandlerStats>,
    pub(super) load: Arc<Load>,
    pub(super) progress: Arc<Progress>,
    /// Shared with other handlers.
    limit: Option<HandlerLimit>,
    /// Keys in order, and the slots for them: where messages wait without a slot, the number
    /// of those in hand does not bound those in work.
    order: Option<(Arc<Order>, Semaphore)>,
    pub(super) stops: Stops,
    event: PhantomData<fn(E)>,
}

/// The steps of a shutdown.
#[derive(Clone, Default)]
pub(super) struct Stops {
    /// Nothing new is begun: what waits for its next try is given back.
    pub(super) draining: CancellationToken,
    /// The grace is over: what is in work is stopped and given back.
    pub(super) interrupt: CancellationToken,
    /// Nobody waits for it any more: it is stopped and left unanswered.
    pub(super) abandon: CancellationToken,
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

/// What came of one try.
enum Tried {
    /// The message is answered so.
    Done(Answer),
    /// It has to be tried again after this wait.
    Again(Duration),
    /// It is to become a dead letter.
    SetAside(Error),
    /// A shutdown stopped it.
    Interrupted,
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
    ) -> Self {
        let limit = options.limit.clone();
        let ordered = !spec.ordered_by.is_empty();
        Self {
            connection,
            spec,
            handler,
            load: Arc::new(Load::new(spec, limit.clone(), Arc::clone(&stats))),
            progress: Arc::default(),
            stats,
            limit,
            order: ordered.then(|| (Arc::default(), Semaphore::new(spec.concurrency))),
            stops: Stops::default(),
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
            Err(wait) => (self.given_back(wait), None),
        };
        let answered = answer.send(self.connection.client(), &reply, self.spec.ack).await;
        // Answered or not, from here on it is the server's.
        drop((in_progress, turn));
        // Counted before its slot is free, so that whoever sees nothing in hand sees all counts.
        match (answered, answer) {
            (false, _) => self.stats.unanswered.add_one(),
            (true, Answer::Ack) => self.stats.acked.add_one(),
            (true, Answer::Retry(_) | Answer::Term) => {}
        }
        drop(in_hand);
    }

    /// Waits until a message is the first of its key; otherwise the wait after which it is
    /// to come again.
    async fn turn(&self, place: Place, in_hand: &InHand) -> Result<Turn, Duration> {
        let receiver = match place {
            Place::First(turn) => return Ok(turn),
            Place::Behind(receiver) => receiver,
        };
        let _parked = in_hand.park();
        tokio::select! {
            biased;
            () = self.stops.interrupt.cancelled() => Err(Duration::ZERO),
            granted = receiver => match granted {
                Ok(Granted::Turn(turn)) => Ok(turn),
                Ok(Granted::GivenBack(wait)) => Err(wait),
                // Not before the whole handler ends.
                Err(_) => Err(Duration::ZERO),
            },
        }
    }

    /// One try; a retry is the server's affair.
    async fn decide(&self, delivery: &Delivery, payload: &Bytes) -> Answer {
        match self.attempt(delivery, payload).await {
            Tried::Done(answer) => answer,
            Tried::Again(wait) => Answer::Retry(wait),
            Tried::Interrupted => self.given_back(Duration::ZERO),
            Tried::SetAside(error) => {
                let stored = self.set_aside(delivery, payload.clone(), &error).await;
                stored.unwrap_or_else(Answer::Retry)
            }
        }
    }

    /// Tries until something has become of the message, so that no later one of its key
    /// overtakes it. The turn is kept until the server is answered.
    async fn decide_in_order(
        &self,
        delivery: &mut Delivery,
        payload: &Bytes,
        in_hand: &InHand,
        turn: Turn,
    ) -> (Answer, Option<Turn>) {
        let mut failed_for_good = None;
        loop {
            let tried = match failed_for_good.take() {
                Some(error) => Tried::SetAside(error),
                None => self.attempt(delivery, payload).await,
            };
            let wait = match tried {
                Tried::Done(answer) => return (answer, Some(turn)),
                Tried::Interrupted => {
                    turn.give_back(Duration::ZERO);
                    return (self.given_back(Duration::ZERO), None);
                }
                Tried::Again(wait) => {
                    delivery.attempt += 1;
                    wait
                }
                Tried::SetAside(error) => {
                    match self.set_aside(delivery, payload.clone(), &error).await {
                        Ok(answer) => return (answer, Some(turn)),
                        Err(wait) => {
                            failed_for_good = Some(error);
                            wait
                        }
                    }
                }
            };
            let again = Instant::now() + wait;
            let _parked = in_hand.park();
            tokio::select! {
                () = tokio::time::sleep_until(again) => {}
                () = self.stops.draining.cancelled() => {
                    let wait = again.saturating_duration_since(Instant::now());
                    turn.give_back(wait);
                    return (self.given_back(wait), None);
                }
            }
        }
    }

    fn given_back(&self, wait: Duration) -> Answer {
        self.stats.returned.add_one();
        tracing::info!("given back unfinished");
        Answer::Retry(wait)
    }

    async fn attempt(&self, delivery: &Delivery, payload: &Bytes) -> Tried {
        if delivery.is_for_another(self.spec.durable) {
            tracing::debug!("driven again for another consumer");
            return Tried::Done(Answer::Ack);
        }
        // The attempts may be spent without a failure that we saw: the processes
        // that had the message died, or could not answer any more.
        if delivery.attempt > 1 && self.spec.is_spent(delivery.attempt - 1) {
            let message = "deliveries are spent; the last ended without an answer";
            return Tried::SetAside(Error::new(Code::Aborted, message));
        }
        let handled = async {
            let _slots = self.slots().await;
            let _counted = self.stats.in_work.hold();
            let begun = std::time::Instant::now();
            let outcome = handle::<E, H>(&self.handler, delivery, payload.clone()).await;
            (outcome, begun.elapsed())
        };
        let (outcome, took) = tokio::select! {
            biased;
            outcome = handled => outcome,
            () = self.stops.interrupt.cancelled() => {
                return Tried::Interrupted;
            }
        };
        self.stats.durations.add(took);
        let verdict = verdict(self.spec, delivery.attempt, outcome);
        durations::message_handled(self.spec.durable, verdict.as_str(), took);
        match verdict {
            Verdict::Ack => Tried::Done(Answer::Ack),
            Verdict::Retry(wait, error) => {
                // What failed together is spread, so that it does not come back together.
                let wait = wait.mul_f64(1.0 + rand::random_range(0.0..0.1));
                let (error, wait_ms) = (error.chain(), wait.as_millis());
                tracing::warn!(error, wait_ms, "failed, to be tried again");
                self.stats.retried.add_one();
                Tried::Again(wait)
            }
            Verdict::DeadLetter(error) => Tried::SetAside(error),
        }
    }

    /// Waits for what bounds the messages in work, beside the number of those in hand.
    async fn slots(&self) -> (Option<SemaphorePermit<'_>>, Option<OwnedSemaphorePermit>) {
        let own = match &self.order {
            Some((_, slots)) => slots.acquire().await.ok(),
            None => None,
        };
        let shared = match &self.limit {
            Some(limit) => limit.slot().await,
            None => None,
        };
        (own, shared)
    }

    /// Stores a dead letter; the wait until it is to be tried again when that fails.
    async fn set_aside(
        &self,
        delivery: &Delivery,
        payload: Bytes,
        error: &Error,
    ) -> Result<Answer, Duration> {
        let stored =
            dead_letter::publish(&self.connection, self.spec, delivery, payload, error).await;
        match stored {
            Ok(_) => {
                self.stats.dead_lettered.add_one();
                tracing::error!(error = error.chain(), "set aside as a dead letter");
                Ok(Answer::Term)
            }
            Err(cause) => {
                // Rather once more than lost.
                let (error, cause) = (error.chain(), cause.chain());
                tracing::error!(error, cause, "could not be set aside, to be tried again");
                self.stats.retried.add_one();
                Err(self.spec.backoff_after(delivery.attempt))
            }
        }
    }
}
