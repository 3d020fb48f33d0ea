//! Giving back what a shutdown ends, so that the shutdown spends no delivery.
//!
//! The server counts each delivery, also one that a stop ended, and nothing takes it back. So a
//! message that is given back at the last delivery that its contract grants is replaced by a fresh
//! copy for this handler alone, whose deliveries are counted from the beginning.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use treaty_error::Error;

use super::answer::Answer;
use super::dead_letter::carried;
use super::work::Worker;
use super::{Delivery, Handle};
use crate::outgoing::insert;
use crate::publisher::send_prepared;
use crate::{Connection, Event, HandlerSpec, headers};

/// How long the copy is tried. Less than a process that stops waits for its messages.
const GIVE_UP_AFTER: Duration = Duration::from_secs(2);

impl<E, H> Worker<E, H>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    /// Gives back a message that a shutdown ended. An ordered handler's message keeps its place,
    /// which a copy would lose to the next one of its key; there the delivery stays spent.
    pub(super) async fn give_back(
        &self,
        delivery: &Delivery,
        payload: &Bytes,
        wait: Duration,
    ) -> Answer {
        self.stats.returned.add_one();
        if self.order.is_none() && self.spec.is_spent(delivery.attempt) {
            match replace(&self.connection, self.spec, delivery, payload.clone()).await {
                Ok(()) => {
                    tracing::info!("given back at its last delivery, as a fresh copy");
                    return Answer::Replaced;
                }
                Err(error) => {
                    let error = error.chain();
                    tracing::warn!(error, "no fresh copy was stored, this was its last delivery");
                }
            }
        }
        tracing::info!("given back unfinished");
        Answer::Retry(wait)
    }
}

/// Stores a copy that only this handler handles. The stream has it before the original is
/// answered: a process that dies between the two leaves both. Doing it again stores nothing twice.
async fn replace(
    connection: &Connection,
    spec: &HandlerSpec,
    delivery: &Delivery,
    payload: Bytes,
) -> Result<(), Error> {
    let mut map = carried(delivery);
    let (stream, durable) = (spec.stream.name, spec.durable);
    let id = format!("returned:{stream}:{}:{durable}", delivery.stream_sequence);
    insert(&mut map, headers::MESSAGE_ID, &id)?;
    insert(&mut map, headers::EXPECTED_STREAM, stream)?;
    insert(&mut map, headers::ADDRESSEE, durable)?;
    insert(&mut map, headers::FIRST_SEQUENCE, &delivery.first_sequence.to_string())?;
    insert(&mut map, headers::DELIVERIES_BEFORE, &delivery.deliveries.to_string())?;
    if let Some(first) = &delivery.message_id {
        insert(&mut map, headers::ORIGINAL_MESSAGE_ID, first)?;
    }
    let message = PublishMessage::build().payload(payload).headers(map);
    let sent = send_prepared(connection, &delivery.subject, message, GIVE_UP_AFTER);
    // One attempt alone may wait longer than that for its confirmation.
    match tokio::time::timeout(GIVE_UP_AFTER, sent).await {
        Ok(sent) => sent.map(|_| ()),
        Err(_) => Err(crate::failure::unacknowledged()),
    }
}
