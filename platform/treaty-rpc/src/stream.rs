//! Messages that come one after the other.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use tonic::{Status, Streaming};
use treaty_error::{Code, Error};

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
