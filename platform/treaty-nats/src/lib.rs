//! The runtime under generated JetStream publishers and handlers.
//!
//! Generated code says what an event is ([`Event`]), where it lives
//! ([`StreamSpec`]) and how a deployable handles it ([`HandlerSpec`]); this crate
//! does the work, and nothing above it names the NATS client:
//!
//! - [`connect`] gives a [`Connection`] that keeps reconnecting by itself.
//! - [`Publisher`] publishes one event, a stored [`Outgoing`], or everything that
//!   a [`Feeder`] yields.
//! - [`run_handler`] drives one durable consumer: concurrency, progress,
//!   retries with backoff, dead letters, drain.
//! - [`DeadLetters`] counts, shows, drives again and discards what was set aside.
//!
//! Delivery is at least once. A message is acknowledged after its handler
//! succeeded and the server has confirmed the acknowledgement, so work may be
//! repeated but is not lost: handlers must be idempotent.

mod bulk;
mod config;
mod connection;
mod dead_letters;
mod failure;
mod handler;
mod outgoing;
mod publisher;
mod spec;
mod streams;
#[cfg(feature = "testing")]
pub mod testing;

pub use bulk::{
    Feeder, Paged, PublishFailure, PublishOptions, PublishProgress, PublishReport, paged,
};
pub use config::NatsConfig;
pub use connection::{Connection, ConsumerInfo, StreamInfo, connect};
pub use dead_letters::{
    DeadLetter, DeadLetterDepth, DeadLetterFilter, DeadLetterPlace, DeadLetterStep, DeadLetterWalk,
    DeadLetters,
};
pub use handler::{
    Backlog, Delivery, Handle, HandlerLimit, HandlerMetrics, HandlerOptions, HandlerStats,
    HandlersConfig, HandlingTimes, RebuildReason, Rebuilds, StatsSnapshot, run_handler,
    run_handler_with,
};
pub use outgoing::Outgoing;
pub use publisher::{Publish, PublishOutgoing, Published, Publisher};
pub use spec::{Ack, Event, HandlerSpec, Retention, StreamSpec, token};
pub use streams::{DEAD_LETTERS, dead_letter_subject};

/// Names of the headers that messages carry.
pub mod headers {
    /// Full name of the event in the payload.
    pub const EVENT: &str = "Treaty-Event";
    /// Deduplication key; the name is JetStream's.
    pub const MESSAGE_ID: &str = "Nats-Msg-Id";
    /// Stream that a publisher expects its message to land in; JetStream's.
    pub const EXPECTED_STREAM: &str = "Nats-Expected-Stream";
    /// On a dead letter: code and message of the failure.
    pub const REASON: &str = "Treaty-Reason";
    /// On a dead letter: deliveries until it was given up.
    pub const ATTEMPTS: &str = "Treaty-Attempts";
    /// On a dead letter: the subject it was published to.
    pub const SUBJECT: &str = "Treaty-Subject";
    /// On a dead letter: its sequence in the stream it came from.
    pub const STREAM_SEQUENCE: &str = "Treaty-Stream-Sequence";
    /// On a dead letter, and on its message when that is driven again: the deduplication
    /// key it was first published with.
    pub const ORIGINAL_MESSAGE_ID: &str = "Treaty-Message-Id";
    /// On a dead letter whose payload did not fit beside the reason: its size in bytes. The
    /// payload is where the message was, in its stream and under its sequence there.
    pub const PAYLOAD_LEFT: &str = "Treaty-Payload-Left";
    /// On one of many messages that were published together: the `traceparent` of the run.
    /// Each has a trace of its own, which refers to it.
    pub const CAUSED_BY: &str = "Treaty-Caused-By";
    /// On a message that is driven again, or took another's place: the durable consumer that it is for. Others
    /// acknowledge it without handling it.
    pub const ADDRESSEE: &str = "Treaty-Addressee";
    /// On a message that took the place of one whose last delivery a shutdown ended: the sequence
    /// that the first of them had.
    pub const FIRST_SEQUENCE: &str = "Treaty-First-Sequence";
    /// On such a message: deliveries of those before it.
    pub const DELIVERIES_BEFORE: &str = "Treaty-Deliveries-Before";
    /// On a message that is driven again, and its dead letter if it fails again: how often
    /// it was.
    pub const REDRIVES: &str = "Treaty-Redrives";
}
