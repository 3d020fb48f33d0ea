//! What the server is told of a message.

use std::time::Duration;

use async_nats::{Client, Subject};
use bytes::Bytes;

use crate::Ack;

/// Times that an answer is sent until the server confirms it.
const ATTEMPTS: u32 = 3;

/// What the server is to be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Done.
    Ack,
    /// Deliver it again after this wait.
    Retry(Duration),
    /// Never deliver it again: it is in the stream of dead letters.
    Term,
    /// Never deliver it again: the stream has a copy that takes its place.
    Replaced,
}

impl Answer {
    fn payload(&self) -> Bytes {
        match self {
            Self::Ack | Self::Replaced => Bytes::from_static(b"+ACK"),
            Self::Retry(wait) => Bytes::from(format!("-NAK {{\"delay\":{}}}", wait.as_nanos())),
            Self::Term => Bytes::from_static(b"+TERM"),
        }
    }

    /// Answers, and waits until the server has confirmed that it knows, unless it is an
    /// acknowledgement for which the contract asks for none. Tells whether that went well.
    pub(super) async fn send(&self, client: &Client, reply: &Subject, ack: Ack) -> bool {
        if (self, ack) == (&Self::Ack, Ack::Unconfirmed) {
            let sent = client.publish(reply.clone(), self.payload()).await;
            if let Err(error) = &sent {
                tracing::warn!(%error, "not acknowledged, will be delivered again");
            }
            return sent.is_ok();
        }
        for attempt in 1..=ATTEMPTS {
            match client.request(reply.clone(), self.payload()).await {
                Ok(_) => return true,
                Err(error) if attempt == ATTEMPTS => {
                    tracing::warn!(%error, answer = ?self, "unconfirmed, may be delivered again");
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        false
    }
}
