//! Driving a dead letter again.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use treaty_error::{Code, Error};

use super::{DeadLetter, DeadLetters, is_token};
use crate::failure::unavailable;
use crate::outgoing::insert;
use crate::publisher::{GIVE_UP_AFTER, send_prepared};
use crate::{Published, headers};

/// Headers that tell of the failure, and do not belong to the message.
const OF_THE_FAILURE: [&str; 7] = [
    headers::REASON,
    headers::ATTEMPTS,
    headers::SUBJECT,
    headers::STREAM_SEQUENCE,
    headers::PAYLOAD_LEFT,
    headers::FIRST_SEQUENCE,
    headers::DELIVERIES_BEFORE,
];

impl DeadLetters {
    /// Publishes the message of a letter again, to the subject where it was first, and then
    /// removes the letter. Only the handler that failed gets it, or `other`, another durable
    /// consumer of the same stream: for a handler that was renamed.
    ///
    /// Nothing is lost whenever this process dies: the letter goes after the stream has
    /// confirmed the message. Repeating an interrupted call within the stream's duplicate
    /// window stores nothing twice; later it does, and handlers must be idempotent.
    ///
    /// # Errors
    /// [`Code::FailedPrecondition`] when nobody would handle it, because there is no such
    /// consumer, or the letter does not say where it was published; the server is not
    /// reachable, or refuses. The letter is kept then, unless the message says otherwise.
    pub async fn redrive(
        &self,
        letter: &DeadLetter,
        other: Option<&str>,
    ) -> Result<Published, Error> {
        let durable = other.unwrap_or(&letter.durable);
        let subject = letter.subject.as_deref().ok_or_else(|| {
            let message =
                format!("dead letter {} does not say where it was published", letter.number);
            Error::new(Code::FailedPrecondition, message)
        })?;
        self.require_consumer(&letter.stream, durable).await?;
        let message = PublishMessage::build()
            .payload(self.payload_of(letter).await?)
            .headers(headers_again(letter, durable)?);
        let published = send_prepared(&self.connection, subject, message, GIVE_UP_AFTER).await?;
        match self.discard(letter.number).await {
            Ok(_) => Ok(published),
            Err(error) => Err(Error::new(
                error.code(),
                format!(
                    "dead letter {} was published again and could not be removed: repeat this at once",
                    letter.number
                ),
            )
            .with_source(error)),
        }
    }

    /// What was published; from where it was left when it did not fit into the letter.
    async fn payload_of(&self, letter: &DeadLetter) -> Result<Bytes, Error> {
        let (Some(_), Some(sequence)) =
            (letter.header_map().get_last(headers::PAYLOAD_LEFT), letter.stream_sequence)
        else {
            return Ok(letter.payload.clone());
        };
        let gone = |error| {
            let message = format!(
                "dead letter {} has no payload, and message {sequence} of stream {} is not there any more",
                letter.number, letter.stream
            );
            Error::new(Code::FailedPrecondition, message).with_source(error)
        };
        let what = format!("stream {}", letter.stream);
        let stream = self
            .connection
            .jetstream()
            .get_stream(&letter.stream)
            .await
            .map_err(|error| unavailable(format!("{what} could not be read"), error))?;
        let original = stream.get_raw_message(sequence).await.map_err(gone)?;
        Ok(original.payload)
    }

    /// A message for a consumer that is not there would be handled by nobody, and a stream
    /// by interest would not even keep it.
    async fn require_consumer(&self, stream: &str, durable: &str) -> Result<(), Error> {
        if !is_token(durable) {
            let message = format!("`{durable}` cannot be the name of a durable consumer");
            return Err(Error::new(Code::InvalidArgument, message));
        }
        let subject = format!("CONSUMER.INFO.{stream}.{durable}");
        let what = format!("consumer {durable} of stream {stream}");
        let asked = self
            .connection
            .ask::<serde::de::IgnoredAny>(&subject, &serde_json::json!({}), &what)
            .await;
        match asked {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Code::NotFound => Err(Error::new(
                Code::FailedPrecondition,
                format!("{what} does not exist: nobody would handle the message"),
            )
            .with_source(error)),
            Err(error) => Err(error),
        }
    }
}

/// The message's own headers, with a deduplication key that is the same for each attempt at
/// this redrive and for no other: the first key would be taken for a duplicate of the first
/// publish, and a letter that fails again is another letter. The first key stays known, for
/// handlers that remember what they have done.
fn headers_again(letter: &DeadLetter, durable: &str) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    for (name, values) in letter.header_map().iter() {
        let text: &str = name.as_ref();
        let ours = OF_THE_FAILURE.iter().any(|one| one.eq_ignore_ascii_case(text));
        if ours || text.to_ascii_lowercase().starts_with("nats-") {
            continue;
        }
        for value in values {
            map.append(name.clone(), value.clone());
        }
    }
    let sequence = letter.stream_sequence.unwrap_or_default();
    let id = format!("redrive:{}:{sequence}:{durable}:{}", letter.stream, letter.number);
    insert(&mut map, headers::MESSAGE_ID, &id)?;
    insert(&mut map, headers::EXPECTED_STREAM, &letter.stream)?;
    insert(&mut map, headers::ADDRESSEE, durable)?;
    insert(&mut map, headers::REDRIVES, &(letter.redrives + 1).to_string())?;
    Ok(map)
}
