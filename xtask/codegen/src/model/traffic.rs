//! Streams, events, and the deployables that publish and handle them.

use std::time::Duration;

use serde::Serialize;

use super::TypeRef;

/// A JetStream stream.
#[derive(Clone, Debug, Serialize)]
pub struct Stream {
    /// For example `athlete`.
    pub name: String,
    /// Wildcards of the subjects of its events, sorted.
    pub subjects: Vec<String>,
    /// `Limits` or `Interest`.
    pub retention: String,
    /// Age limit.
    pub max_age: Option<Duration>,
    /// Size limit in bytes.
    pub max_bytes: Option<i64>,
    /// How long message ids are remembered.
    pub duplicate_window: Duration,
    /// Whether publishers of many messages send them in atomic batches.
    pub atomic_batches: bool,
}

/// A message that is published.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Name of the message.
    pub name: String,
    /// Full proto name.
    pub full_name: String,
    /// Comment of the contract.
    pub comment: String,
    /// The Rust type.
    pub rust: TypeRef,
    /// Stream that keeps it, and the package that declares the stream.
    pub stream: String,
    /// Package that declares the stream.
    pub stream_package: String,
    /// Subject template.
    pub subject: Vec<Part>,
    /// Subject with `*` for each field.
    pub wildcard: String,
    /// Message id template; empty when there is none.
    pub message_id: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    /// Stands as it is.
    Literal(String),
    /// The value of a field.
    Field {
        /// Name in the contract.
        name: String,
        /// Name of the struct's field.
        rust_name: String,
        /// The enum, when the field is one: its name is used, not its number.
        enumeration: Option<TypeRef>,
    },
}

/// A deployable service with its granted traffic.
#[derive(Clone, Debug, Serialize)]
pub struct Deployable {
    /// For example `api`.
    pub name: String,
    /// For example `api-port`.
    pub crate_name: String,
    /// Comment of the declaration.
    pub comment: String,
    /// Full names of services that it answers.
    pub serves: Vec<String>,
    /// Services that it calls, with the deployable that answers them.
    pub calls: Vec<Call>,
    /// Full names of events that it publishes.
    pub publishes: Vec<String>,
    /// Events that it handles.
    pub handles: Vec<Handler>,
    /// Full names of workflow services that it runs.
    pub runs: Vec<String>,
    /// Full names of workflow services that it starts.
    pub starts: Vec<String>,
}

/// A call that is granted.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Full name of the service.
    pub service: String,
    /// The deployable that answers.
    pub server: String,
}

/// How a deployable handles an event.
#[derive(Clone, Debug, Serialize)]
pub struct Handler {
    /// Full name of the event.
    pub event: String,
    /// Durable consumer's name.
    pub durable: String,
    /// Messages in work at once in one process.
    pub concurrency: u32,
    /// Time until an unacknowledged message comes again.
    pub ack_wait: Duration,
    /// Deliveries in all.
    pub max_deliver: u32,
    /// Waits between deliveries.
    pub backoff: Vec<Duration>,
    /// How acknowledgements are sent.
    pub ack: Acknowledgement,
    /// What makes the key of order; empty without order.
    pub ordered_by: Vec<KeyToken>,
}

/// How a handler's acknowledgement is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Acknowledgement {
    /// The server confirms it.
    Confirmed,
    /// Nobody waits for a confirmation.
    Unconfirmed,
}

/// A field of a key, where the event's subject has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyToken {
    /// Name of the field in the contract.
    pub field: String,
    /// Which token of the subject it is, from 0.
    pub token: usize,
}
