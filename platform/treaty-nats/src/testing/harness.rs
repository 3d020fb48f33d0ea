//! Handling without a server: deliveries, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use treaty_error::Error;

use crate::handler::verdict::{Verdict, handle, verdict};
use crate::{Delivery, Event, Handle, HandlerSpec};

/// What becomes of a delivery.
#[derive(Debug)]
pub enum Outcome {
    /// It is acknowledged.
    Acknowledged,
    /// It comes again.
    ComesAgain {
        /// After this wait: the failure's own, or that of the contract's backoff. The
        /// runtime adds up to a tenth, so that what failed together is spread.
        after: Duration,
        /// Why.
        error: Error,
    },
    /// It is set aside as a dead letter.
    DeadLettered {
        /// The reason that is kept with it.
        error: Error,
    },
}

impl Outcome {
    /// Asserts that the message is done.
    ///
    /// # Panics
    /// When it is not, with the reason.
    #[track_caller]
    pub fn assert_acknowledged(&self) {
        assert!(matches!(self, Self::Acknowledged), "not acknowledged: {}", self.tell());
    }

    /// Asserts that the message comes again after this wait, and gives the reason.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn assert_comes_again(&self, wait: Duration) -> &Error {
        match self {
            Self::ComesAgain { after, error } if *after == wait => error,
            _ => panic!("does not come again after {wait:?}: {}", self.tell()),
        }
    }

    /// Asserts that the message is set aside, and gives the reason.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_dead_lettered(&self) -> &Error {
        match self {
            Self::DeadLettered { error } => error,
            _ => panic!("not set aside: {}", self.tell()),
        }
    }

    /// The failure, when there was one.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Acknowledged => None,
            Self::ComesAgain { error, .. } | Self::DeadLettered { error } => Some(error),
        }
    }

    fn tell(&self) -> String {
        match self {
            Self::Acknowledged => "acknowledged".to_owned(),
            Self::ComesAgain { after, error } => {
                format!("comes again after {after:?}: {}", error.chain())
            }
            Self::DeadLettered { error } => format!("set aside: {}", error.chain()),
        }
    }
}

/// Delivers events to a handler and says what becomes of them, by the rules that the
/// runtime applies and without a broker: the event goes through its binary form, the
/// handler runs in a task of its own, and the contract's deliveries and backoff count.
pub struct HandlerHarness<E> {
    spec: &'static HandlerSpec,
    handler: Arc<dyn Handle<E>>,
}

impl<E: Event> HandlerHarness<E> {
    /// Around a handler with the constants of its contract; ports have a function that
    /// gives one for each of their handlers.
    #[must_use]
    pub fn new(spec: &'static HandlerSpec, handler: Arc<dyn Handle<E>>) -> Self {
        Self { spec, handler }
    }

    /// Delivers an event for the first time.
    ///
    /// # Panics
    /// When the event has no subject, so that it could not be published.
    pub async fn deliver(&self, event: &E) -> Outcome {
        self.deliver_attempt(event, 1).await
    }

    /// Delivers an event for the `attempt`-th time, from 1.
    ///
    /// # Panics
    /// When the event has no subject, so that it could not be published.
    pub async fn deliver_attempt(&self, event: &E, attempt: u64) -> Outcome {
        let payload = event.encode_to_vec();
        self.judge(delivery_attempt(event, attempt), payload.into()).await
    }

    /// Delivers an event again and again, without waiting, until it is acknowledged or
    /// set aside; gives the outcome of each delivery.
    ///
    /// # Panics
    /// When the event has no subject, so that it could not be published.
    pub async fn deliver_until_settled(&self, event: &E) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for attempt in 1.. {
            let outcome = self.deliver_attempt(event, attempt).await;
            let settled = !matches!(outcome, Outcome::ComesAgain { .. });
            outcomes.push(outcome);
            if settled {
                break;
            }
        }
        outcomes
    }

    /// Delivers what some other program has put into the stream.
    pub async fn deliver_bytes(&self, payload: impl Into<Bytes>) -> Outcome {
        let delivery = Delivery::for_test(E::FULL_NAME, E::SUBJECTS.to_owned(), None, 1);
        self.judge(delivery, payload.into()).await
    }

    async fn judge(&self, delivery: Delivery, payload: Bytes) -> Outcome {
        let attempt = delivery.attempt;
        let outcome = handle::<E, dyn Handle<E>>(&*self.handler, &delivery, payload).await;
        match verdict(self.spec, attempt, outcome) {
            Verdict::Ack => Outcome::Acknowledged,
            Verdict::Retry(after, error) => Outcome::ComesAgain { after, error },
            Verdict::DeadLetter(error) => Outcome::DeadLettered { error },
        }
    }
}

impl<E: Event> std::fmt::Debug for HandlerHarness<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandlerHarness").field("spec", self.spec).finish_non_exhaustive()
    }
}

/// A first delivery of this event, for calling a handler directly.
///
/// # Panics
/// When the event has no subject.
#[must_use]
#[allow(clippy::expect_used, reason = "for tests alone")]
pub fn delivery<E: Event>(event: &E) -> Delivery {
    delivery_attempt(event, 1)
}

/// As [`delivery`], for a given attempt.
///
/// # Panics
/// When the event has no subject.
#[must_use]
#[allow(clippy::expect_used, reason = "for tests alone")]
pub fn delivery_attempt<E: Event>(event: &E, attempt: u64) -> Delivery {
    let subject = event.subject().expect("the event has a subject");
    Delivery::for_test(E::FULL_NAME, subject, event.message_id(), attempt)
}
