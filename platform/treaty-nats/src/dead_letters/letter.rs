//! One dead letter, read back from what was set aside.

use std::fmt;
use std::time::SystemTime;

use async_nats::jetstream::message::StreamMessage;
use async_nats::{HeaderMap, HeaderValue};
use bytes::Bytes;
use treaty_error::Code;

use crate::{headers, streams};

/// A message that could not be handled, and why.
#[derive(Clone)]
pub struct DeadLetter {
    /// Its sequence in the stream of dead letters, by which it is named.
    pub number: u64,
    /// Stream that the message came from.
    pub stream: String,
    /// Durable consumer that could not handle it.
    pub durable: String,
    /// Code and message of the failure.
    pub reason: String,
    /// Deliveries until it was given up.
    pub attempts: u64,
    /// Times that it was driven again before.
    pub redrives: u64,
    /// When it was set aside.
    pub set_aside: SystemTime,
    /// The subject it was published to; missing on a letter that we did not write.
    pub subject: Option<String>,
    /// Its sequence in the stream that it came from.
    pub stream_sequence: Option<u64>,
    /// The deduplication key it was first published with.
    pub message_id: Option<String>,
    /// Full name of the event in the payload.
    pub event: Option<String>,
    /// What was published.
    pub payload: Bytes,
    /// Size of the payload in bytes, also where it was left out.
    pub payload_bytes: usize,
    headers: HeaderMap,
}

impl DeadLetter {
    /// The code of the failure; `None` when the reason does not begin with one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        Code::from_name(self.reason.split(':').next()?)
    }

    /// Where the payload is when it did not fit beside the reason, in words; `payload` is
    /// empty then. A redrive takes it from there.
    #[must_use]
    pub fn payload_elsewhere(&self) -> Option<String> {
        let size = self.headers.get_last(headers::PAYLOAD_LEFT)?.as_str();
        let sequence = self.stream_sequence?;
        let stream = &self.stream;
        Some(format!(
            "its {size} bytes did not fit into the letter and are message {sequence} of stream {stream}"
        ))
    }

    /// The same without its payload, whose size stays known: for lists of many.
    #[must_use]
    pub fn without_payload(self) -> Self {
        Self { payload: Bytes::new(), ..self }
    }

    /// All headers, in the order of their names.
    #[must_use]
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<(&str, &str)> = self
            .headers
            .iter()
            .flat_map(|(name, values)| {
                values.iter().map(move |value| (name.as_ref(), HeaderValue::as_str(value)))
            })
            .collect();
        all.sort_unstable();
        all
    }

    pub(super) fn header_map(&self) -> &HeaderMap {
        &self.headers
    }

    /// Reads a stored message; `None` when its subject is not that of a dead letter.
    pub(super) fn of(message: StreamMessage) -> Option<Self> {
        let (stream, durable) = place(&message.subject)?;
        let text = |name: &str| message.headers.get_last(name).map(|value| value.as_str());
        let owned = |name: &str| text(name).map(str::to_owned);
        let number = |name: &str| text(name).and_then(|text| text.parse().ok());
        Some(Self {
            number: message.sequence,
            stream: stream.to_owned(),
            durable: durable.to_owned(),
            reason: owned(headers::REASON).unwrap_or_default(),
            attempts: number(headers::ATTEMPTS).unwrap_or_default(),
            redrives: number(headers::REDRIVES).unwrap_or_default(),
            set_aside: SystemTime::from(message.time),
            subject: owned(headers::SUBJECT),
            stream_sequence: number(headers::STREAM_SEQUENCE),
            message_id: owned(headers::ORIGINAL_MESSAGE_ID),
            event: owned(headers::EVENT),
            payload_bytes: message.payload.len(),
            payload: message.payload.clone(),
            headers: message.headers,
        })
    }
}

/// Stream and durable consumer in the subject of a dead letter.
pub(super) fn place(subject: &str) -> Option<(&str, &str)> {
    let (prefix, rest) = subject.split_once('.')?;
    let (stream, durable) = rest.split_once('.')?;
    (prefix == streams::DEAD_LETTERS.name && !durable.contains('.')).then_some((stream, durable))
}

impl fmt::Debug for DeadLetter {
    /// Neither payload nor headers, which may hold what must not be in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("number", &self.number)
            .field("stream", &self.stream)
            .field("durable", &self.durable)
            .field("reason", &self.reason)
            .field("attempts", &self.attempts)
            .field("redrives", &self.redrives)
            .field("bytes", &self.payload_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_says_where_a_letter_comes_from() {
        let subject = crate::dead_letter_subject("jobs", "worker-a-v1-Job");
        assert_eq!(place(&subject), Some(("jobs", "worker-a-v1-Job")));
        for odd in ["dead-letters", "dead-letters.jobs", "dead-letters.a.b.c", "jobs.a.b"] {
            assert_eq!(place(odd), None, "{odd}");
        }
    }
}
