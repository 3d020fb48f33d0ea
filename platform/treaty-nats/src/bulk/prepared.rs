//! A message that is ready to be sent as often as it takes.

use std::fmt::{Display, Write as _};

use async_nats::{HeaderMap, HeaderValue, Subject};
use bytes::{Bytes, BytesMut};
use treaty_error::{Code, Error};

use crate::Event;
use crate::outgoing::{self, checked_id};

/// A subject that is cut from a buffer, so that each clone of it costs a count and nothing
/// more.
pub(super) fn cut(subject: impl Display, buffer: &mut BytesMut) -> Result<Subject, Error> {
    let internal = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(Code::Internal, "a subject cannot be written").with_source(error)
    };
    write!(buffer, "{subject}").map_err(|error| internal(error.into()))?;
    Subject::from_utf8(buffer.split().freeze()).map_err(|error| internal(error.into()))
}

/// A message with all that a repetition needs, its id above all.
pub(super) struct Prepared {
    pub(super) subject: Subject,
    pub(super) payload: Bytes,
    id: HeaderValue,
    /// Whether the id is the event's own, and not one for this run alone.
    named: bool,
    /// What the run is part of, where that is traced.
    caused_by: Option<HeaderValue>,
}

impl Prepared {
    /// Checks and encodes an event. Payloads and subjects of many share one buffer, which
    /// costs less than an allocation for each and is gone when the last of them is.
    ///
    /// # Errors
    /// As [`Outgoing::from_event`](crate::Outgoing::from_event).
    pub(super) fn new<E: Event>(
        event: &E,
        buffer: &mut BytesMut,
        caused_by: Option<&HeaderValue>,
    ) -> Result<Self, Error> {
        let message_id = checked_id(event)?;
        let named = message_id.is_some();
        // An event without an id gets one, so that our own repetition after an unknown
        // outcome cannot store it twice.
        let id = message_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        // No control character is in it, which is what this would panic at.
        let id = HeaderValue::from(id);
        let subject = cut(event.subject()?, buffer)?;
        event.encode(buffer).map_err(|error| {
            Error::new(Code::Internal, format!("{} cannot be encoded", E::FULL_NAME))
                .with_source(error)
        })?;
        let (payload, caused_by) = (buffer.split().freeze(), caused_by.cloned());
        Ok(Self { subject, payload, id, named, caused_by })
    }

    /// The headers of each time it is sent by itself.
    pub(super) fn headers<E: Event>(&self) -> HeaderMap {
        let mut headers = self.headers_within::<E>();
        outgoing::expect_stream(&mut headers, E::STREAM.name);
        headers
    }

    /// The headers within a batch, whose first message tells the stream for all.
    pub(super) fn headers_within<E: Event>(&self) -> HeaderMap {
        outgoing::headers_with(E::FULL_NAME, self.id.clone(), self.caused_by.as_ref())
    }

    /// About what it takes in memory and on the wire.
    pub(super) fn size(&self) -> usize {
        self.payload.len() + self.subject.len() + self.id.as_str().len()
    }

    /// The event's deduplication key.
    pub(super) fn message_id(&self) -> Option<String> {
        self.named.then(|| self.id.as_str().to_owned())
    }
}

#[cfg(test)]
impl Prepared {
    pub(super) fn for_test(buffer: &mut BytesMut) -> Self {
        let (id, payload) = (HeaderValue::from("id"), buffer.split().freeze());
        Self { subject: "a.b".into(), payload, id, named: true, caused_by: None }
    }
}
