//! Pulling messages, never more than there are hands for.
//!
//! The client library's own streams keep a buffer, in which messages age while
//! their ack wait runs. Here every message that was asked for has a free slot:
//! `outstanding` messages asked for plus those in work never exceed the
//! handler's concurrency.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::{Client, Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use tokio::time::Instant;
use treaty_error::Error;

use super::RebuildReason;
use crate::failure::unavailable;
use crate::{Connection, HandlerSpec};

const EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Silence after which the consumer is taken for lost: two heartbeats missed.
const SILENCE: Duration = Duration::from_secs(11);
/// After this a request has ended, whatever we have heard of it.
const SURELY_ENDED: Duration = Duration::from_secs(35);
/// How long a drain waits for what the server sent before it saw our goodbye.
const DRAIN: Duration = Duration::from_secs(2);

/// What came of waiting.
pub(super) enum Pulled {
    /// A message.
    Message(Message),
    /// The consumer has to be set up again.
    Lost(Lost),
}

/// Why a consumer has to be set up again.
#[derive(Debug)]
pub(super) struct Lost {
    /// For the counters.
    pub(super) reason: RebuildReason,
    /// For the log.
    pub(super) words: String,
}

impl Lost {
    pub(super) fn new(reason: RebuildReason, words: impl Into<String>) -> Self {
        Self { reason, words: words.into() }
    }
}

/// Pull requests to one consumer and what they bring.
pub(super) struct Puller {
    client: Client,
    subscriber: Subscriber,
    inbox: String,
    requests: String,
    concurrency: usize,
    /// Messages asked for that may still come.
    outstanding: usize,
    /// When how many were asked for, as far as those requests may live.
    asked: VecDeque<(Instant, usize)>,
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
            asked: VecDeque::new(),
            heard: Instant::now(),
        })
    }

    /// Asks for as many messages as there is room for. Slots that become free one by one are
    /// collected until half of all are free: one request is then being served while the other
    /// half is worked on, and a replica has two waiting at most. The server serves waiting
    /// requests in turn, whoever they are from and however much they ask for, so that many small
    /// ones would take the share of other replicas.
    pub(super) async fn ask(&mut self, room: usize) -> Result<(), Lost> {
        self.forget_ended();
        if room < self.room_to_ask() {
            return Ok(());
        }
        let free = room - self.outstanding;
        let request = format!(
            "{{\"batch\":{free},\"expires\":{},\"idle_heartbeat\":{}}}",
            EXPIRES.as_nanos(),
            HEARTBEAT.as_nanos()
        );
        self.client
            .publish_with_reply(self.requests.clone(), self.inbox.clone(), Bytes::from(request))
            .await
            .map_err(|error| {
                Lost::new(RebuildReason::Refused, format!("asking for messages failed: {error}"))
            })?;
        let now = Instant::now();
        if self.outstanding == 0 {
            self.heard = now;
        }
        self.outstanding += free;
        self.asked.push_back((now, free));
        Ok(())
    }

    /// The room with which it is worthwhile to ask again.
    pub(super) fn room_to_ask(&self) -> usize {
        match self.outstanding {
            0 => 1,
            outstanding => outstanding + (self.concurrency / 2).max(1),
        }
    }

    /// Gives up on messages whose request has ended without our hearing of it: counted for
    /// ever, they would take slots for ever.
    fn forget_ended(&mut self) {
        while self.asked.front().is_some_and(|(at, _)| at.elapsed() > SURELY_ENDED) {
            self.asked.pop_front();
        }
        let may_live: usize = self.asked.iter().map(|(_, messages)| messages).sum();
        self.outstanding = self.outstanding.min(may_live);
    }

    /// The next message. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Pulled {
        loop {
            let received = if self.outstanding > 0 {
                let silence = self.heard + SILENCE;
                match tokio::time::timeout_at(silence, self.subscriber.next()).await {
                    Ok(received) => received,
                    Err(_) => {
                        let words = "it missed its heartbeats";
                        return Pulled::Lost(Lost::new(RebuildReason::Silent, words));
                    }
                }
            } else {
                self.subscriber.next().await
            };
            let Some(message) = received else {
                let words = "its subscription ended";
                return Pulled::Lost(Lost::new(RebuildReason::Refused, words));
            };
            if let Some(pulled) = self.receive(message) {
                return pulled;
            }
        }
    }

    /// The next message, if it is there already.
    pub(super) fn next_now(&mut self) -> Option<Pulled> {
        loop {
            // An ended subscription is told by `next`.
            let message = self.subscriber.next().now_or_never().flatten()?;
            if let Some(pulled) = self.receive(message) {
                return Some(pulled);
            }
        }
    }

    fn receive(&mut self, message: Message) -> Option<Pulled> {
        self.heard = Instant::now();
        if message.status.is_none() {
            self.outstanding = self.outstanding.saturating_sub(1);
            return Some(Pulled::Message(message));
        }
        self.take_status(&message).map(Pulled::Lost)
    }

    /// Takes note of a status message; returns why the consumer is lost, if it is.
    fn take_status(&mut self, message: &Message) -> Option<Lost> {
        let status = message.status?;
        let description = message.description.as_deref().unwrap_or_default();
        if status == StatusCode::IDLE_HEARTBEAT {
            return None;
        }
        if status == StatusCode::NO_RESPONDERS {
            // Nobody takes requests for it: it is gone, or the server starts or ends.
            return Some(Lost::new(RebuildReason::Deleted, "no consumer answers"));
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
            _ => {
                let deleted = description.eq_ignore_ascii_case("consumer deleted");
                let reason = if deleted { RebuildReason::Deleted } else { RebuildReason::Refused };
                Some(Lost::new(reason, format!("status {status} {description}")))
            }
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
