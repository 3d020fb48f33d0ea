//! Messages that come one after the other.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use tonic::{Status, Streaming};
use treaty_error::{Code, Error};
use treaty_validate::{Validate, validate};

use crate::body::is_given_up;
use crate::{from_status, to_status};

/// The messages of one side of a streaming call, whatever carries it.
///
/// The first error is the last item. Dropping the stream tells the other side that
/// nobody listens any more.
pub type MessageStream<T> = Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>;

/// A stream in tonic's terms, as server adapters answer with.
pub type StatusStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A stream of messages that are known already; for short answers and for tests.
pub fn stream_of<T, I>(messages: I) -> MessageStream<T>
where
    I: IntoIterator<Item = T>,
    I::IntoIter: Send + 'static,
    T: Send + 'static,
{
    Box::pin(futures::stream::iter(messages.into_iter().map(Ok)))
}

/// The messages of a caller, each checked against the rules of its contract; one that
/// breaks them is the last item, as an error.
pub fn validated<T: Validate + 'static>(messages: MessageStream<T>) -> MessageStream<T> {
    if !T::HAS_RULES {
        return messages;
    }
    Box::pin(futures::stream::unfold(Some(messages), |messages| async move {
        let mut messages = messages?;
        let item = messages.next().await?;
        let checked = item.and_then(|item| validate(&item).map(|()| item));
        let rest = checked.is_ok().then_some(messages);
        Some((checked, rest))
    }))
}

/// What arrives from a caller, in our terms. `Streaming` ends at its first error.
pub(crate) fn incoming<T: Send + 'static>(stream: Streaming<T>) -> MessageStream<T> {
    Box::pin(stream.map(|item| {
        item.map_err(|status| match is_given_up(&status) {
            true => Error::new(Code::Cancelled, status.message()).with_source(status),
            false => from_status(status),
        })
    }))
}

/// What goes to a caller, in tonic's terms.
pub(crate) fn outgoing<T: 'static>(stream: MessageStream<T>) -> StatusStream<T> {
    Box::pin(stream.map(|item| item.map_err(|error| to_status(&error))))
}
