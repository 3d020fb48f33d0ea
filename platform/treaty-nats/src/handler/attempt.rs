//! One try at a message.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};
use treaty_error::{Code, Error};
use treaty_telemetry::durations;

use super::answer::Answer;
use super::verdict::{Verdict, handle, verdict};
use super::work::Worker;
use super::{Delivery, Handle, dead_letter};
use crate::Event;

/// What came of one try.
pub(super) enum Tried {
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
    pub(super) async fn attempt(&self, delivery: &Delivery, payload: &Bytes) -> Tried {
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
            () = self.stops.interrupt.cancelled() => return Tried::Interrupted,
        };
        self.stats.durations.add(took);
        if self.stops.ended(&outcome) {
            durations::message_handled(self.spec.durable, "returned", took);
            return Tried::Interrupted;
        }
        let verdict = verdict(self.spec, delivery.attempt, outcome);
        match &verdict {
            Verdict::Ack => self.times.add(took),
            other => durations::message_handled(self.spec.durable, other.as_str(), took),
        }
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
    pub(super) async fn set_aside(
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
