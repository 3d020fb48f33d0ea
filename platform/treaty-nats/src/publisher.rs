//! Publishing one message until the stream has confirmed it.

use std::marker::PhantomData;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_trait::async_trait;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field};
use treaty_error::{Code, Error};
use treaty_telemetry::{context, durations};

use crate::bulk::{self, Feeder, PublishOptions, PublishReport};
use crate::outgoing::headers_of;
use crate::{Connection, Event, Outgoing, failure};

/// How long one message is tried before its publish fails.
pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_secs(20);

/// The stream's confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Sequence in the stream. For a duplicate, that of the message it repeats.
    pub stream_sequence: u64,
    /// Whether the stream had a message with this id already.
    pub duplicate: bool,
}

/// Publishes one kind of event. Services depend on this trait, so that their
/// tests need no server.
#[async_trait]
pub trait Publish<E: Event>: Send + Sync {
    /// Publishes one event and waits for the stream's confirmation.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an event that has no subject; otherwise the
    /// stream refused it, or did not confirm it in time. Then the outcome is
    /// unknown, and publishing it again with the same message id is safe.
    async fn publish(&self, event: &E) -> Result<Published, Error>;

    /// Publishes everything that the feeder yields, many at a time.
    ///
    /// Messages that failed for good are counted in the report; see
    /// [`PublishReport::into_result`].
    ///
    /// # Errors
    /// The feeder failed, or more messages failed than the options allow. What
    /// was published stays published: repeat with the same message ids.
    async fn publish_all(
        &self,
        feeder: &mut dyn Feeder<E>,
        options: PublishOptions,
    ) -> Result<PublishReport, Error>;
}

/// Publishes stored messages; for the relay of an outbox.
#[async_trait]
pub trait PublishOutgoing: Send + Sync {
    /// Full name of the one event that it publishes.
    fn event(&self) -> &'static str;

    /// Publishes one stored message and waits for the stream's confirmation.
    ///
    /// # Errors
    /// As [`Publish::publish`]; [`Code::InvalidArgument`] when the message holds
    /// another event.
    async fn publish_outgoing(&self, outgoing: &Outgoing) -> Result<Published, Error>;
}

/// Publishes one kind of event to its stream. Cheap to clone.
pub struct Publisher<E> {
    connection: Connection,
    give_up_after: Duration,
    event: PhantomData<fn(E)>,
}

impl<E> Clone for Publisher<E> {
    fn clone(&self) -> Self {
        Self {
            connection: self.connection.clone(),
            give_up_after: self.give_up_after,
            event: PhantomData,
        }
    }
}

impl<E: Event> Publisher<E> {
    /// A publisher over a connection.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone(), give_up_after: GIVE_UP_AFTER, event: PhantomData }
    }

    /// Changes how long one message is tried before its publish fails: 20 seconds
    /// otherwise.
    #[must_use]
    pub fn giving_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = time;
        self
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn give_up_after(&self) -> Duration {
        self.give_up_after
    }

    pub(crate) async fn send(&self, outgoing: &Outgoing) -> Result<Published, Error> {
        send(&self.connection, E::STREAM.name, outgoing, self.give_up_after).await
    }
}

#[async_trait]
impl<E: Event> Publish<E> for Publisher<E> {
    async fn publish(&self, event: &E) -> Result<Published, Error> {
        self.send(&Outgoing::from_event(event)?).await
    }

    async fn publish_all(
        &self,
        feeder: &mut dyn Feeder<E>,
        options: PublishOptions,
    ) -> Result<PublishReport, Error> {
        bulk::publish_all(self, feeder, options).await
    }
}

#[async_trait]
impl<E: Event> PublishOutgoing for Publisher<E> {
    fn event(&self) -> &'static str {
        E::FULL_NAME
    }

    async fn publish_outgoing(&self, outgoing: &Outgoing) -> Result<Published, Error> {
        if outgoing.event != E::FULL_NAME {
            let message = format!("publisher of {} was given {}", E::FULL_NAME, outgoing.event);
            return Err(Error::new(Code::InvalidArgument, message));
        }
        self.send(outgoing).await
    }
}

/// Publishes until the stream confirms, refuses for good, or time is over.
async fn send(
    connection: &Connection,
    stream: &'static str,
    outgoing: &Outgoing,
    give_up_after: Duration,
) -> Result<Published, Error> {
    let started = Instant::now();
    let span = span(stream, outgoing);
    let sent = send_traced(connection, stream, outgoing, give_up_after).instrument(span.clone());
    let result = sent.await;
    let outcome = match &result {
        Ok(published) if published.duplicate => "duplicate",
        Ok(_) => "published",
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            error.code().as_str()
        }
    };
    durations::message_sent(stream, outcome, started.elapsed());
    result
}

/// The sending of a message, in the trace of what promised it; none without traces.
fn span(stream: &'static str, outgoing: &Outgoing) -> Span {
    if !context::is_on() {
        return Span::none();
    }
    let span = tracing::info_span!(
        "publish",
        otel.kind = "producer",
        otel.name = format!("send {stream}"),
        otel.status_code = field::Empty,
    );
    context::continue_in(&span, outgoing.traceparent.as_deref());
    context::describe(&span, "messaging.system", "nats");
    context::describe(&span, "messaging.operation.type", "send");
    context::describe(&span, "messaging.destination.name", outgoing.subject.clone());
    if let Some(id) = &outgoing.message_id {
        context::describe(&span, "messaging.message.id", id.clone());
    }
    span
}

async fn send_traced(
    connection: &Connection,
    stream: &str,
    outgoing: &Outgoing,
    give_up_after: Duration,
) -> Result<Published, Error> {
    // A message without an id gets one for this call, so that our own repetition
    // after an unknown outcome cannot store it twice.
    let fallback;
    let message_id = match &outgoing.message_id {
        Some(id) => id.as_str(),
        None => {
            fallback = uuid::Uuid::new_v4().to_string();
            &fallback
        }
    };
    let headers = headers_of(outgoing, stream, message_id)?;
    let message = PublishMessage::build().payload(outgoing.payload.clone()).headers(headers);
    send_prepared(connection, &outgoing.subject, message, give_up_after).await
}

/// As [`send`], for a message whose headers, id included, are in place.
pub(crate) async fn send_prepared(
    connection: &Connection,
    subject: &str,
    message: PublishMessage,
    give_up_after: Duration,
) -> Result<Published, Error> {
    let deadline = Instant::now() + give_up_after;
    let mut wait = Duration::from_millis(50);
    loop {
        let error = match attempt(connection, subject, message.clone()).await {
            Ok(published) => return Ok(published),
            Err(error) => error,
        };
        if !failure::may_publish_again(&error) || Instant::now() + wait >= deadline {
            return Err(error);
        }
        tracing::debug!(subject, error = error.chain(), "publishing again");
        let jitter = Duration::from_millis(rand::random_range(0..50));
        tokio::time::sleep(wait + jitter).await;
        wait = (wait * 2).min(Duration::from_secs(2));
    }
}

async fn attempt(
    connection: &Connection,
    subject: &str,
    message: PublishMessage,
) -> Result<Published, Error> {
    let confirmation = connection
        .jetstream()
        .send_publish(subject.to_owned(), message)
        .await
        .map_err(failure::publish)?;
    let ack = confirmation.await.map_err(failure::publish)?;
    Ok(Published { stream_sequence: ack.sequence, duplicate: ack.duplicate })
}
