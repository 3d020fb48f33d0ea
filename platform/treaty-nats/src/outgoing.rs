//! A message that is ready to be published, as an outbox stores it.

use async_nats::HeaderMap;
use async_nats::HeaderValue;
use bytes::Bytes;
use treaty_error::{Code, Error};

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
}

impl Outgoing {
    /// Prepares an event.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when the event breaks the rules of its contract, a field
    /// that the subject needs is empty, or the message id holds a control character.
    pub fn from_event<E: Event>(event: &E) -> Result<Self, Error> {
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
        Ok(Self {
            subject: event.subject()?,
            message_id,
            event: E::FULL_NAME.to_owned(),
            payload: Bytes::from(event.encode_to_vec()),
        })
    }
}

/// Adds a header whose value did not come from us; a value that no header can
/// hold is refused instead of being cut.
pub(crate) fn insert(map: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), Error> {
    let value: HeaderValue = value.parse().map_err(|error| {
        Error::new(Code::InvalidArgument, format!("no valid value for header {name}"))
            .with_source(Box::new(error) as Box<dyn std::error::Error + Send + Sync>)
    })?;
    map.insert(name, value);
    Ok(())
}

/// The headers of a message.
pub(crate) fn headers_of(
    outgoing: &Outgoing,
    stream: &str,
    message_id: &str,
) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    insert(&mut map, headers::EVENT, &outgoing.event)?;
    insert(&mut map, headers::MESSAGE_ID, message_id)?;
    insert(&mut map, headers::EXPECTED_STREAM, stream)?;
    Ok(map)
}
