//! What is known about a message besides its payload.

use std::time::{Duration, SystemTime};

use async_nats::{HeaderMap, HeaderValue};

use crate::headers;

/// One delivery of a message.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Deliveries of this message so far, this one included: what the contract bounds.
    pub attempt: u64,
    /// As `attempt`, with the deliveries of the message that this one took the place of, when a
    /// shutdown ended its last one. So it grows from each delivery of a job to the next.
    pub deliveries: u64,
    /// Its sequence in the stream.
    pub stream_sequence: u64,
    /// The sequence that it had first: the same for all deliveries of a job, also when a copy took
    /// its place.
    pub first_sequence: u64,
    /// Its deduplication key: the one it was first published with, also when it is driven
    /// again from the dead letters.
    pub message_id: Option<String>,
    /// When the stream stored it.
    pub published: SystemTime,
    /// The subject it was published to.
    pub subject: String,
    headers: HeaderMap,
}

impl Delivery {
    /// Whether it was delivered before.
    #[must_use]
    pub fn is_redelivery(&self) -> bool {
        self.deliveries > 1
    }

    /// A header of the message, for example `traceparent`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Whether another consumer is meant, which failed before.
    pub(super) fn is_for_another(&self, durable: &str) -> bool {
        self.header(headers::ADDRESSEE).is_some_and(|addressee| addressee != durable)
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Reads what the server says about a delivery in its reply subject.
    pub(super) fn of(
        reply: &str,
        message: &async_nats::Message,
        headers: HeaderMap,
    ) -> Option<Self> {
        let place = Place::parse(reply)?;
        let message_id = [headers::ORIGINAL_MESSAGE_ID, headers::MESSAGE_ID]
            .iter()
            .find_map(|name| header(&headers, name))
            .map(str::to_owned);
        let number = |name| header(&headers, name).and_then(|value| value.parse::<u64>().ok());
        Some(Self {
            attempt: place.attempt,
            deliveries: place
                .attempt
                .saturating_add(number(headers::DELIVERIES_BEFORE).unwrap_or_default()),
            stream_sequence: place.stream_sequence,
            first_sequence: number(headers::FIRST_SEQUENCE).unwrap_or(place.stream_sequence),
            message_id,
            published: SystemTime::UNIX_EPOCH + Duration::from_nanos(place.published_nanos),
            subject: message.subject.to_string(),
            headers,
        })
    }

    #[cfg(feature = "testing")]
    pub(crate) fn for_test(
        event: &str,
        subject: String,
        message_id: Option<String>,
        attempt: u64,
    ) -> Self {
        let mut map = HeaderMap::new();
        map.insert(headers::EVENT, event);
        Self {
            attempt,
            deliveries: attempt,
            stream_sequence: 1,
            first_sequence: 1,
            message_id,
            published: SystemTime::now(),
            subject,
            headers: map,
        }
    }
}

/// The last value of a header. A message has few, so that looking through all of them is cheaper
/// than the map's own way, which checks, copies and hashes the name each time.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let (_, values) = headers.iter().find(|(known, _)| AsRef::<str>::as_ref(*known) == name)?;
    values.last().map(HeaderValue::as_str)
}

/// The part of a reply subject that matters here.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    attempt: u64,
    stream_sequence: u64,
    published_nanos: u64,
}

impl Place {
    /// `$JS.ACK.<stream>.<consumer>.<attempt>.<stream seq>.<consumer seq>.<time>.<pending>`,
    /// or the newer form that has domain and account hash before the stream.
    fn parse(reply: &str) -> Option<Self> {
        let reply = reply.strip_prefix("$JS.ACK.")?;
        let before = match reply.bytes().filter(|byte| *byte == b'.').count() + 1 {
            7 => 2,
            length if length >= 9 => 4,
            _ => return None,
        };
        let mut rest = reply.split('.').skip(before);
        let attempt = rest.next()?.parse().ok()?;
        let stream_sequence = rest.next()?.parse().ok()?;
        let published_nanos = rest.nth(1)?.parse().ok()?;
        Some(Self { attempt, stream_sequence, published_nanos })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_reply_subject_are_read() {
        let expected =
            Place { attempt: 3, stream_sequence: 100, published_nanos: 1_790_230_470_084_404_000 };
        for reply in [
            "$JS.ACK.events.durable.3.100.7.1790230470084404000.42",
            "$JS.ACK._.szMpdrwD.events.durable.3.100.7.1790230470084404000.42",
            "$JS.ACK.hub.szMpdrwD.events.durable.3.100.7.1790230470084404000.42.random",
        ] {
            assert_eq!(Place::parse(reply).unwrap(), expected, "{reply}");
        }
        for strange in ["$JS.ACK.a.b.1.2.3", "$JS.FC.a.b.1.2.3.4.5", "$JS.ACK.a.b.x.2.3.4.5", ""] {
            assert_eq!(Place::parse(strange), None, "{strange}");
        }
    }
}
