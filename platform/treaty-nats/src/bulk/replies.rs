//! Answers to what one publisher has sent.

use async_nats::jetstream::Error as ApiError;
use async_nats::{Client, Message, StatusCode, Subject, Subscriber};
use bytes::BytesMut;
use futures::{FutureExt, StreamExt};
use serde::Deserialize;
use treaty_error::Error;

use super::prepared::cut;
use crate::{Published, failure};

/// Bytes of the buffers that subjects are cut from.
const BUFFER: usize = 4 << 10;

/// A subscription of the publisher's own. The client's way, which is a channel and a timer
/// for each request, is for requests that are few.
pub(super) struct Replies {
    /// What the subject of each answer begins with, the dot included.
    prefix: String,
    subscriber: Subscriber,
    buffer: BytesMut,
}

impl Replies {
    /// Subscribes, under the prefix that permissions grant this client.
    ///
    /// # Errors
    /// The client is closed.
    pub(super) async fn subscribe(client: &Client) -> Result<Self, Error> {
        let prefix = format!("{}.", client.new_inbox());
        let subscriber = client.subscribe(format!("{prefix}*")).await;
        let subscriber = subscriber
            .map_err(|error| failure::unavailable("answers could not be subscribed to", error))?;
        Ok(Self { prefix, subscriber, buffer: BytesMut::with_capacity(BUFFER) })
    }

    /// Where the answer to this number is to go.
    pub(super) fn subject(&mut self, number: u64) -> Result<Subject, Error> {
        cut(format_args!("{}{number}", self.prefix), &mut self.buffer)
    }

    /// The number that an answer is for.
    pub(super) fn number(&self, reply: &Message) -> Option<u64> {
        reply.subject.strip_prefix(self.prefix.as_str())?.parse().ok()
    }

    /// The next answer; `None` when the client is closed.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.subscriber.next().await
    }

    /// The next answer that is here already.
    pub(super) fn here(&mut self) -> Option<Message> {
        self.subscriber.next().now_or_never().flatten()
    }
}

/// The stream's word that it has stored something.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) published: Published,
    /// Messages of the batch that is stored with it; 0 without a batch.
    pub(super) count: u64,
}

/// Both forms of an answer; a field that is missing has its default.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    error: Option<ApiError>,
}

/// What an answer says.
///
/// # Errors
/// The stream refused the message, there is none, or the answer is not the stream's.
pub(super) fn stored(reply: &Message) -> Result<Stored, Error> {
    if reply.status == Some(StatusCode::NO_RESPONDERS) {
        return Err(failure::no_stream());
    }
    match serde_json::from_slice(&reply.payload) {
        Ok(Answer { error: Some(error), .. }) => Err(failure::refused(error)),
        Ok(Answer { seq, duplicate, count, error: None }) if seq > 0 => {
            Ok(Stored { published: Published { stream_sequence: seq, duplicate }, count })
        }
        Ok(_) => Err(failure::unacknowledged()),
        Err(error) => Err(failure::unacknowledged().with_source(error)),
    }
}
