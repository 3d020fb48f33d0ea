//! A handler's figures, for Prometheus.

use std::sync::Arc;

use async_trait::async_trait;
use treaty_telemetry::{Readings, Source};

use super::{HandlerStats, StatsSnapshot};
use crate::HandlerSpec;

/// Tells what one handler of this process has done and is doing.
#[derive(Debug)]
pub struct HandlerMetrics {
    spec: &'static HandlerSpec,
    stats: Arc<HandlerStats>,
}

impl HandlerMetrics {
    /// The figures of the handler that counts in `stats`.
    #[must_use]
    pub fn new(spec: &'static HandlerSpec, stats: Arc<HandlerStats>) -> Self {
        Self { spec, stats }
    }
}

#[async_trait]
impl Source for HandlerMetrics {
    async fn read(&self, readings: &mut Readings) {
        let durable = ("messaging_consumer_group_name", self.spec.durable);
        let snapshot = self.stats.snapshot();
        counters(readings, durable, &snapshot);
        states(readings, durable, &snapshot);
        for (reason, count) in snapshot.rebuilds.iter() {
            readings.counter(
                "nats_consumer_rebuilds",
                "Times that a consumer was set up again after trouble",
                &[durable, ("reason", reason.as_str())],
                count,
            );
        }
    }
}

type Label = (&'static str, &'static str);

fn counters(readings: &mut Readings, durable: Label, snapshot: &StatsSnapshot) {
    let counters = [
        ("nats_messages_delivered", "Deliveries taken", snapshot.delivered),
        (
            "nats_messages_redelivered",
            "Deliveries of messages delivered before",
            snapshot.redelivered,
        ),
        ("nats_messages_acked", "Messages acknowledged", snapshot.acked),
        ("nats_messages_retried", "Failures after which a message comes again", snapshot.retried),
        (
            "nats_messages_dead_lettered",
            "Messages that became dead letters",
            snapshot.dead_lettered,
        ),
        ("nats_messages_returned", "Messages given back by a shutdown", snapshot.returned),
        ("nats_messages_unanswered", "Answers that did not reach the server", snapshot.unanswered),
    ];
    for (name, help, value) in counters {
        readings.counter(name, help, &[durable], value);
    }
}

fn states(readings: &mut Readings, durable: Label, snapshot: &StatsSnapshot) {
    let mut states = vec![
        ("nats_messages_in_work", "Messages in work now", snapshot.in_work),
        ("nats_messages_waiting", "Messages taken that wait in the process", snapshot.waiting),
    ];
    if let Some(backlog) = snapshot.backlog {
        states.extend([
            ("nats_consumer_pending", "Messages not delivered yet: the lag", backlog.pending),
            ("nats_consumer_unanswered", "Messages delivered, not answered", backlog.unanswered),
            ("nats_consumer_redelivering", "Of these, delivered before", backlog.redelivering),
        ]);
    }
    if let Some(letters) = snapshot.dead_letters {
        states.push(("nats_dead_letters", "Dead letters of this handler now", letters));
    }
    for (name, help, value) in states {
        #[allow(clippy::cast_precision_loss, reason = "a count of messages, far below 2^53")]
        readings.gauge(name, help, &[durable], value as f64);
    }
}
