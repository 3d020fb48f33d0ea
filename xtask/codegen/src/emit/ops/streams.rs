//! Streams and durable consumers in the form of JetStream's own API, which is also
//! what `nats stream add --config` and `nats consumer add --config` read (NATS
//! architecture decision record 1 and the schemas of `io.nats.jetstream.api.v1`).

use std::time::Duration;

use serde::Serialize;

use super::json;
use crate::File;
use crate::model::{Handler, Model, Stream};

/// The stream for what no handler could handle; the runtime keeps it.
pub(super) const DEAD_LETTERS: &str = "dead-letters";

/// How long message ids are remembered there.
const DEAD_LETTERS_WINDOW: Duration = Duration::from_secs(120);

/// Unanswered messages of one consumer at a time, as the runtime sets it: waiting
/// retries must not hold up what is behind them.
const MAX_ACK_PENDING: u32 = 10_000;

#[derive(Serialize)]
struct StreamConfig<'a> {
    name: &'a str,
    subjects: Vec<String>,
    retention: &'static str,
    storage: &'static str,
    discard: &'static str,
    /// Nanoseconds; 0 is without limit.
    max_age: u64,
    max_bytes: i64,
    max_msgs: i64,
    max_msgs_per_subject: i64,
    /// Nanoseconds.
    duplicate_window: u64,
    /// Left out when contracts do not ask for it: then it is an operator's to set.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_atomic: bool,
}

#[derive(Serialize)]
struct ConsumerConfig<'a> {
    durable_name: &'a str,
    description: String,
    deliver_policy: &'static str,
    ack_policy: &'static str,
    /// Nanoseconds.
    ack_wait: u64,
    max_deliver: i64,
    filter_subject: &'a str,
    replay_policy: &'static str,
    max_ack_pending: u32,
}

/// Writes a file for each stream and for each durable consumer.
pub(super) fn emit(model: &Model) -> Vec<File> {
    let mut files = Vec::new();
    let mut add_stream = |config: StreamConfig<'_>| {
        files.push(json(&format!("nats/streams/{}.json", config.name), &config));
    };
    for package in &model.packages {
        for stream in &package.streams {
            add_stream(stream_config(stream));
        }
    }
    if model.deployables.iter().any(|deployable| !deployable.handles.is_empty()) {
        add_stream(dead_letters());
    }
    for handler in model.deployables.iter().flat_map(|deployable| &deployable.handles) {
        if let Some((_, event)) = model.event(&handler.event) {
            let path = format!("nats/consumers/{}/{}.json", event.stream, handler.durable);
            files.push(json(&path, &consumer_config(handler, &event.wildcard)));
        }
    }
    files
}

fn stream_config(stream: &Stream) -> StreamConfig<'_> {
    StreamConfig {
        name: &stream.name,
        subjects: stream.subjects.clone(),
        retention: if stream.retention == "Interest" { "interest" } else { "limits" },
        storage: "file",
        // A full stream refuses new work instead of dropping work not yet done.
        discard: "new",
        max_age: stream.max_age.map_or(0, nanos),
        max_bytes: stream.max_bytes.unwrap_or(-1),
        max_msgs: -1,
        max_msgs_per_subject: -1,
        duplicate_window: nanos(stream.duplicate_window),
        allow_atomic: stream.atomic_batches,
    }
}

fn dead_letters() -> StreamConfig<'static> {
    StreamConfig {
        name: DEAD_LETTERS,
        subjects: vec![format!("{DEAD_LETTERS}.>")],
        retention: "limits",
        storage: "file",
        discard: "new",
        max_age: 0,
        max_bytes: -1,
        max_msgs: -1,
        max_msgs_per_subject: -1,
        duplicate_window: nanos(DEAD_LETTERS_WINDOW),
        allow_atomic: false,
    }
}

fn consumer_config<'a>(handler: &'a Handler, filter: &'a str) -> ConsumerConfig<'a> {
    ConsumerConfig {
        durable_name: &handler.durable,
        description: format!("Handles {}.", handler.event),
        deliver_policy: "all",
        ack_policy: "explicit",
        ack_wait: nanos(handler.ack_wait),
        // The runtime counts deliveries itself, so that no message ends unseen.
        max_deliver: -1,
        filter_subject: filter,
        replay_policy: "instant",
        max_ack_pending: MAX_ACK_PENDING,
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
