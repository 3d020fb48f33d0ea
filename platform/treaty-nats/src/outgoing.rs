//! A message that is ready to be published, as an outbox stores it.

use async_nats::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use treaty_error::{Code, Error};
use treaty_telemetry::context;

use crate::{Event, headers};

/// A message that is ready to be published. An outbox stores it in the same
/// transaction as the state that it tells about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Full subject.
    pub subject: String,
    /// Deduplication key.
    pub message_id: Option<String>,
    /// Full name of the event in the payload.
    pub event: String,
    /// The event in protobuf's binary form.
    pub payload: Bytes,
    /// The W3C `traceparent` of what promised it.
    pub traceparent: Option<String>,
}

impl Outgoing {
    /// Prepares an event.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when the event breaks the rules of its contract, a field
    /// that the subject needs is empty, or the message id holds a control character.
    pub fn from_event<E: Event>(event: &E) -> Result<Self, Error> {
        let message_id = checked_id(event)?;
        Ok(Self {
            subject: event.subject()?,
            message_id,
            event: E::FULL_NAME.to_owned(),
            payload: Bytes::from(event.encode_to_vec()),
            traceparent: context::traceparent(),
        })
    }
}

/// The deduplication key of an event that keeps its contract's rules.
///
/// # Errors
/// [`Code::InvalidArgument`] when the event breaks the rules, or the key holds a control
/// character.
pub(crate) fn checked_id<E: Event>(event: &E) -> Result<Option<String>, Error> {
    treaty_validate::validate(event)?;
    let message_id = event.message_id();
    if let Some(id) = &message_id
        && (id.is_empty() || id.chars().any(char::is_control))
    {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("message id of {} is empty or holds a control character", E::FULL_NAME),
        ));
    }
    Ok(message_id)
}

/// A header's value that did not come from us; what no header can hold is refused instead
/// of being cut.
pub(crate) fn value(name: &'static str, value: &str) -> Result<HeaderValue, Error> {
    value.parse().map_err(|error| {
        Error::new(Code::InvalidArgument, format!("no valid value for header {name}"))
            .with_source(Box::new(error) as Box<dyn std::error::Error + Send + Sync>)
    })
}

/// Adds a header; see [`value`].
pub(crate) fn insert(map: &mut HeaderMap, name: &'static str, text: &str) -> Result<(), Error> {
    map.insert(name, value(name, text)?);
    Ok(())
}

/// Names that need no look-up for each message.
static EVENT: HeaderName = HeaderName::from_static(headers::EVENT);
static MESSAGE_ID: HeaderName = HeaderName::from_static(headers::MESSAGE_ID);
static CAUSED_BY: HeaderName = HeaderName::from_static(headers::CAUSED_BY);
static EXPECTED_STREAM: HeaderName = HeaderName::from_static(headers::EXPECTED_STREAM);

/// The headers of a message, without the stream that it is for.
pub(crate) fn headers_with(
    event: &'static str,
    message_id: HeaderValue,
    caused_by: Option<&HeaderValue>,
) -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert(EVENT.clone(), event);
    map.insert(MESSAGE_ID.clone(), message_id);
    if let Some(cause) = caused_by {
        map.insert(CAUSED_BY.clone(), cause.clone());
    }
    map
}

/// What all messages of a run are caused by, where that is traced.
pub(crate) fn cause() -> Option<HeaderValue> {
    context::traceparent().map(HeaderValue::from)
}

/// Makes every other stream refuse a message.
pub(crate) fn expect_stream(map: &mut HeaderMap, stream: &'static str) {
    map.insert(EXPECTED_STREAM.clone(), stream);
}

/// The headers of a stored message.
pub(crate) fn headers_of(
    outgoing: &Outgoing,
    stream: &str,
    message_id: &str,
) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    insert(&mut map, headers::EVENT, &outgoing.event)?;
    insert(&mut map, headers::MESSAGE_ID, message_id)?;
    insert(&mut map, headers::EXPECTED_STREAM, stream)?;
    // The span that sends it; without traces of our own, what promised it.
    let traceparent = context::traceparent().or_else(|| outgoing.traceparent.clone());
    if let Some(Ok(traceparent)) = traceparent.map(|text| text.parse::<HeaderValue>()) {
        map.insert(context::TRACEPARENT, traceparent);
    }
    Ok(map)
}
