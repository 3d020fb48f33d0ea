//! Pulling messages, never more than there are hands for.
//!
//! The client library's own streams keep a buffer, in which messages age while
//! their ack wait runs. Here every message that was asked for has a free slot:
//! `outstanding` messages asked for plus those in work never exceed the
//! handler's concurrency.

use std::time::Duration;

use async_nats::{Client, Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures::StreamExt;
use tokio::time::Instant;
use treaty_error::Error;

use crate::failure::unavailable;
use crate::{Connection, HandlerSpec};

const EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Silence after which the consumer is taken for lost: two heartbeats missed.
const SILENCE: Duration = Duration::from_secs(11);
/// How long a drain waits for what the server sent before it saw our goodbye.
const DRAIN: Duration = Duration::from_secs(2);

/// What came of waiting.
pub(super) enum Pulled {
    /// A message.
    Message(Message),
    /// The consumer has to be set up again.
    Lost(String),
}

/// Pull requests to one consumer and what they bring.
pub(super) struct Puller {
    client: Client,
    subscriber: Subscriber,
    inbox: String,
    requests: String,
    concurrency: usize,
    outstanding: usize,
    heard: Instant,
}

impl Puller {
    pub(super) async fn open(connection: &Connection, spec: &HandlerSpec) -> Result<Self, Error> {
        let client = connection.client().clone();
        let inbox = client.new_inbox();
        let subscriber = client
            .subscribe(inbox.clone())
            .await
            .map_err(|error| unavailable("subscribing to the consumer's messages failed", error))?;
        Ok(Self {
            client,
            subscriber,
            inbox,
            requests: format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", spec.stream.name, spec.durable),
            concurrency: spec.concurrency,
            outstanding: 0,
            heard: Instant::now(),
        })
    }

    /// Asks for as many messages as there are free slots. Slots that become free
    /// one by one are collected a little, so that a busy handler does not send
    /// one request for each message.
    pub(super) async fn ask(&mut self, in_work: usize) -> Result<(), Error> {
        let free = self.concurrency.saturating_sub(in_work + self.outstanding);
        let worthwhile = (self.concurrency / 4).max(1);
        if free == 0 || (free < worthwhile && self.outstanding > 0) {
            return Ok(());
        }
        let request = serde_json::json!({
            "batch": free,
            "expires": nanos(EXPIRES),
            "idle_heartbeat": nanos(HEARTBEAT),
        });
        self.client
            .publish_with_reply(
                self.requests.clone(),
                self.inbox.clone(),
                Bytes::from(request.to_string()),
            )
            .await
            .map_err(|error| unavailable("asking for messages failed", error))?;
        if self.outstanding == 0 {
            self.heard = Instant::now();
        }
        self.outstanding += free;
        Ok(())
    }

    /// The next message. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Pulled {
        loop {
            let received = if self.outstanding > 0 {
                let silence = self.heard + SILENCE;
                match tokio::time::timeout_at(silence, self.subscriber.next()).await {
                    Ok(received) => received,
                    Err(_) => return Pulled::Lost("missed its heartbeats".to_owned()),
                }
            } else {
                self.subscriber.next().await
            };
            let Some(message) = received else {
                return Pulled::Lost("its subscription ended".to_owned());
            };
            self.heard = Instant::now();
            if message.status.is_none() {
                self.outstanding = self.outstanding.saturating_sub(1);
                return Pulled::Message(message);
            }
            if let Some(reason) = self.take_status(&message) {
                return Pulled::Lost(reason);
            }
        }
    }

    /// Takes note of a status message; returns why the consumer is lost, if it is.
    fn take_status(&mut self, message: &Message) -> Option<String> {
        let status = message.status?;
        let description = message.description.as_deref().unwrap_or_default();
        if status == StatusCode::IDLE_HEARTBEAT {
            return None;
        }
        if status == StatusCode::NO_RESPONDERS {
            return Some("no consumer answers".to_owned());
        }
        // A request that ended says how many of its messages will not come.
        let unserved = message
            .headers
            .as_ref()
            .and_then(|headers| headers.get_last("Nats-Pending-Messages"))
            .and_then(|value| value.as_str().parse::<usize>().ok());
        match unserved {
            Some(unserved) if status == StatusCode::TIMEOUT => {
                self.outstanding = self.outstanding.saturating_sub(unserved);
                None
            }
            _ => Some(format!("status {status} {description}")),
        }
    }

    /// Stops the flow and returns what was on its way.
    pub(super) async fn finish(mut self) -> Vec<Message> {
        let mut rest = Vec::new();
        if self.subscriber.drain().await.is_err() {
            return rest;
        }
        let deadline = Instant::now() + DRAIN;
        while let Ok(Some(message)) =
            tokio::time::timeout_at(deadline, self.subscriber.next()).await
        {
            if message.status.is_none() {
                rest.push(message);
            }
        }
        rest
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
