//! One message from delivery to its answer.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Message;
use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use treaty_error::{Code, Error};

use super::dead_letter;
use super::verdict::{Verdict, handle, verdict};
use super::{Delivery, Handle, HandlerStats};
use crate::{Connection, Event, HandlerSpec};

/// Times that an answer is sent until the server confirms it.
const ANSWER_ATTEMPTS: u32 = 3;

/// What the server is to be told.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// Done.
    Ack,
    /// Deliver it again after this wait.
    Retry(Duration),
    /// Never deliver it again: it is in the stream of dead letters.
    Term,
}

impl Answer {
    fn payload(&self) -> Bytes {
        match self {
            Self::Ack => Bytes::from_static(b"+ACK"),
            Self::Retry(wait) => Bytes::from(format!("-NAK {{\"delay\":{}}}", wait.as_nanos())),
            Self::Term => Bytes::from_static(b"+TERM"),
        }
    }
}

/// Handles messages, one call of [`Worker::work`] each.
pub(super) struct Worker<E, H: ?Sized> {
    connection: Connection,
    spec: &'static HandlerSpec,
    handler: Arc<H>,
    stats: Arc<HandlerStats>,
    /// Cancelled when the grace of a shutdown is over.
    interrupt: CancellationToken,
    event: PhantomData<fn(E)>,
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
        interrupt: CancellationToken,
    ) -> Self {
        Self { connection, spec, handler, stats, interrupt, event: PhantomData }
    }

    pub(super) fn stats(&self) -> &HandlerStats {
        &self.stats
    }

    pub(super) async fn work(&self, message: Message) {
        let (Some(delivery), Some(reply)) = (Delivery::of(&message), message.reply.clone()) else {
            tracing::error!(subject = %message.subject, "not a delivery of a consumer, ignored");
            return;
        };
        self.stats.delivered.add_one();
        if delivery.is_redelivery() {
            self.stats.redelivered.add_one();
        }
        let span = tracing::info_span!(
            "message",
            sequence = delivery.stream_sequence,
            attempt = delivery.attempt,
            id = delivery.message_id.as_deref(),
        );
        let deciding = self.decide(Arc::new(delivery), message.payload);
        async {
            let answer = self.with_progress(&reply, deciding).await;
            self.answer(&reply, &answer).await;
        }
        .instrument(span)
        .await;
    }

    /// Tells the server from time to time that work goes on, so that a handler
    /// that takes longer than the ack wait does not get its message twice.
    async fn with_progress(
        &self,
        reply: &async_nats::Subject,
        deciding: impl Future<Output = Answer>,
    ) -> Answer {
        let period = self.spec.ack_wait / 2;
        let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(deciding);
        loop {
            tokio::select! {
                answer = &mut deciding => return answer,
                _ = ticks.tick() => {
                    let progress = Bytes::from_static(b"+WPI");
                    if let Err(error) =
                        self.connection.client().publish(reply.clone(), progress).await
                    {
                        tracing::debug!(%error, "progress was not reported");
                    }
                }
            }
        }
    }

    async fn decide(&self, delivery: Arc<Delivery>, payload: Bytes) -> Answer {
        if delivery.is_for_another(self.spec.durable) {
            tracing::debug!("driven again for another consumer");
            return Answer::Ack;
        }
        // The attempts may be spent without a failure that we saw: the processes
        // that had the message died, or could not answer any more.
        let spent_before = delivery.attempt > 1 && self.spec.is_spent(delivery.attempt - 1);
        let outcome = if spent_before {
            let message = "deliveries are spent; the last ended without an answer";
            Err(Error::new(Code::Aborted, message))
        } else {
            let handler = Arc::clone(&self.handler);
            tokio::select! {
                biased;
                outcome = handle::<E, H>(handler, Arc::clone(&delivery), payload.clone()) => outcome,
                () = self.interrupt.cancelled() => {
                    tracing::info!("given back unfinished");
                    return Answer::Retry(Duration::ZERO);
                }
            }
        };
        match verdict(self.spec, delivery.attempt, outcome) {
            Verdict::Ack => Answer::Ack,
            Verdict::Retry(wait, error) => {
                // What failed together is spread, so that it does not come back together.
                let wait = wait.mul_f64(1.0 + rand::random_range(0.0..0.1));
                let (error, wait_ms) = (error.chain(), wait.as_millis());
                tracing::warn!(error, wait_ms, "failed, to be delivered again");
                Answer::Retry(wait)
            }
            Verdict::DeadLetter(error) => self.set_aside(&delivery, payload, &error).await,
        }
    }

    async fn set_aside(&self, delivery: &Delivery, payload: Bytes, error: &Error) -> Answer {
        let stored =
            dead_letter::publish(&self.connection, self.spec, delivery, payload, error).await;
        match stored {
            Ok(_) => {
                self.stats.dead_lettered.add_one();
                tracing::error!(error = error.chain(), "set aside as a dead letter");
                Answer::Term
            }
            Err(cause) => {
                // Rather once more than lost.
                let (error, cause) = (error.chain(), cause.chain());
                tracing::error!(error, cause, "could not be set aside, to be delivered again");
                Answer::Retry(self.spec.backoff_after(delivery.attempt))
            }
        }
    }

    /// Answers, and waits until the server has confirmed that it knows.
    async fn answer(&self, reply: &async_nats::Subject, answer: &Answer) {
        for attempt in 1..=ANSWER_ATTEMPTS {
            let sent = self.connection.client().request(reply.clone(), answer.payload()).await;
            match sent {
                Ok(_) => {
                    match answer {
                        Answer::Ack => self.stats.acked.add_one(),
                        Answer::Retry(_) => self.stats.retried.add_one(),
                        Answer::Term => {}
                    }
                    return;
                }
                Err(error) if attempt == ANSWER_ATTEMPTS => {
                    tracing::warn!(%error, ?answer, "unconfirmed, may be delivered again");
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }
}
