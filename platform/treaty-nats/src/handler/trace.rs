//! The span of a delivery.

use tracing::Span;
use treaty_telemetry::context;

use super::Delivery;
use crate::{HandlerSpec, headers};

/// The handling of one delivery, in the trace of what published the message. One of many that
/// were published together begins a trace, which refers to the run that published it: a trace
/// of a hundred thousand jobs could not be read.
pub(super) fn span(spec: &'static HandlerSpec, delivery: &Delivery) -> Span {
    let span = tracing::info_span!(
        "message",
        otel.kind = "consumer",
        otel.name = context::is_on().then(|| format!("process {}", spec.durable)),
        sequence = delivery.stream_sequence,
        attempt = delivery.attempt,
        id = delivery.message_id.as_deref(),
    );
    if context::is_on() {
        match delivery.header(context::TRACEPARENT) {
            Some(parent) => context::continue_in(&span, Some(parent)),
            None => context::caused_by(&span, delivery.header(headers::CAUSED_BY)),
        }
        context::describe(&span, "messaging.system", "nats");
        context::describe(&span, "messaging.operation.type", "process");
        context::describe(&span, "messaging.destination.name", delivery.subject.clone());
        context::describe(&span, "messaging.destination.subscription.name", spec.durable);
    }
    span
}
