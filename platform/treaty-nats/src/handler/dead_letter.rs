//! Setting messages aside with the reason.

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use treaty_error::{Code, Error};

use super::Delivery;
use crate::outgoing::insert;
use crate::publisher::{GIVE_UP_AFTER, send_prepared};
use crate::{Connection, HandlerSpec, Published, Retention, dead_letter_subject, headers, streams};

/// Longest reason that is kept.
const REASON_CHARS: usize = 512;

/// Copies a message to the stream of dead letters. Doing it again is safe: the
/// copy's id follows from where the message stands.
pub(super) async fn publish(
    connection: &Connection,
    spec: &HandlerSpec,
    delivery: &Delivery,
    payload: Bytes,
    error: &Error,
) -> Result<Published, Error> {
    let mut map = carried(delivery);
    let sequence = delivery.stream_sequence;
    let id = format!("{}:{sequence}:{}", spec.stream.name, spec.durable);
    insert(&mut map, headers::MESSAGE_ID, &id)?;
    insert(&mut map, headers::EXPECTED_STREAM, streams::DEAD_LETTERS.name)?;
    insert(&mut map, headers::REASON, &reason(error))?;
    insert(&mut map, headers::ATTEMPTS, &delivery.deliveries.to_string())?;
    insert(&mut map, headers::SUBJECT, &delivery.subject)?;
    insert(&mut map, headers::STREAM_SEQUENCE, &sequence.to_string())?;
    if let Some(original) = &delivery.message_id {
        insert(&mut map, headers::ORIGINAL_MESSAGE_ID, original)?;
    }
    let subject = dead_letter_subject(spec.stream.name, spec.durable);
    let bytes = payload.len();
    let message = PublishMessage::build().payload(payload).headers(map.clone());
    let stored = send_prepared(connection, &subject, message, GIVE_UP_AFTER).await;
    match stored {
        // What is nearly as large as the server admits has no room for the reason. A stream
        // by limits keeps the original, so that it is found where the letter says; from one
        // by interest it would be gone with its end here.
        Err(error)
            if error.code() == Code::InvalidArgument
                && spec.stream.retention == Retention::Limits =>
        {
            insert(&mut map, headers::PAYLOAD_LEFT, &bytes.to_string())?;
            let message = PublishMessage::build().headers(map);
            send_prepared(connection, &subject, message, GIVE_UP_AFTER).await
        }
        outcome => outcome,
    }
}

/// The original's headers but those that are instructions to the server: a copy
/// of `Nats-Rollup`, for one, would delete what was set aside before.
pub(super) fn carried(delivery: &Delivery) -> async_nats::HeaderMap {
    let mut map = async_nats::HeaderMap::new();
    for (name, values) in delivery.headers().iter() {
        let text: &str = name.as_ref();
        if text.to_ascii_lowercase().starts_with("nats-") {
            continue;
        }
        for value in values {
            map.append(name.clone(), value.clone());
        }
    }
    map
}

/// Code and message, which are fit to be shown; never the sources.
fn reason(error: &Error) -> String {
    let cleaned = |c: char| if c.is_control() { ' ' } else { c };
    error.to_string().chars().map(cleaned).take(REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use treaty_error::Code;

    use super::*;

    #[test]
    fn a_reason_fits_a_header_and_holds_no_source() {
        let error = Error::new(Code::Internal, format!("two\r\nlines {}", "x".repeat(2_000)))
            .with_source(std::io::Error::other("secret"));
        let reason = reason(&error);
        assert!(reason.starts_with("INTERNAL: two  lines x"), "{reason}");
        assert_eq!(reason.chars().count(), REASON_CHARS);
        assert!(!reason.contains("secret"));
    }
}
