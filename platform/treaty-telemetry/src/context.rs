//! The trace context of what runs now, as W3C's `traceparent` writes it.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Name of the header that carries the trace context.
pub const TRACEPARENT: &str = "traceparent";

static ON: AtomicBool = AtomicBool::new(false);

/// Whether this process makes traces. Spans that are for traces alone need not be made
/// otherwise.
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

pub(crate) fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}

/// The identifiers of a span.
pub(crate) struct Ids {
    pub(crate) trace_id: opentelemetry::TraceId,
    pub(crate) span_id: opentelemetry::SpanId,
}

/// Those of the span that runs now.
pub(crate) fn ids() -> Option<Ids> {
    let span = current()?;
    Some(Ids { trace_id: span.trace_id(), span_id: span.span_id() })
}

fn current() -> Option<SpanContext> {
    let context = Context::current();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.clone())
}

/// Whether what runs now is part of a trace.
#[must_use]
pub fn is_traced() -> bool {
    is_on() && current().is_some()
}

/// The `traceparent` of the span that runs now; none when this process makes no traces, or
/// what runs is no part of one.
#[must_use]
pub fn traceparent() -> Option<String> {
    if !is_on() {
        return None;
    }
    current().map(|span| written(&span))
}

/// As a header says it.
pub(crate) fn written(span: &SpanContext) -> String {
    let flags = span.trace_flags().to_u8();
    format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
}

/// Makes a new span go on in the trace that a message or a call came with. One that is made
/// within a span of this process stays below that.
pub fn continue_in(span: &Span, traceparent: Option<&str>) {
    if is_on()
        && let Some(traceparent) = traceparent
        && current().is_none()
    {
        // It fails for spans that the log alone has.
        let _ = span.set_parent(extract(traceparent));
    }
}

/// Tells something about a new span that the log need not have, such as names that are the
/// same for all of its kind.
pub fn describe(span: &Span, key: &'static str, value: impl Into<opentelemetry::Value>) {
    if is_on() {
        span.set_attribute(key, value.into());
    }
}

/// Makes a new span, of a trace of its own, refer to what caused it.
pub fn caused_by(span: &Span, traceparent: Option<&str>) {
    if is_on()
        && let Some(cause) = traceparent.and_then(remote)
        && cause.is_sampled()
    {
        span.add_link(cause);
    }
}

/// A span of another process; none when what is said of it is malformed.
pub(crate) fn remote(traceparent: &str) -> Option<SpanContext> {
    let context = extract(traceparent);
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.clone())
}

fn extract(traceparent: &str) -> Context {
    // Not the current context: what is malformed begins a trace.
    TraceContextPropagator::new().extract_with_context(&Context::new(), &One(traceparent))
}

/// A carrier with one header.
struct One<'a>(&'a str);

impl Extractor for One<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
