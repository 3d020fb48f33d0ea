//! The span of work that no single process holds, such as a run of a workflow.
//!
//! Workers take such a run over from each other, so none of them can keep its span open.
//! Its identifiers follow from the run's own: whoever has the run knows them, what belongs
//! to it can refer to them from the first moment on, and whoever ends the run tells of it.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::SystemTime;

use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue, SpanId, TraceId};
use opentelemetry_sdk::trace::{
    IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, SdkTracer, ShouldSample as _,
};
use sha2::{Digest as _, Sha256};

use crate::context;

static TRACER: OnceLock<(SdkTracer, f64)> = OnceLock::new();

pub(crate) fn turn_on(tracer: SdkTracer, ratio: f64) {
    // The first stays: a process starts its traces once.
    let _ = TRACER.set((tracer, ratio));
}

/// A run, with what it goes on from.
#[derive(Clone, Debug)]
pub struct Run {
    span: SpanContext,
    parent: Option<SpanContext>,
    cause: Option<SpanContext>,
}

impl Run {
    /// The run of this identifier, in the trace of the `traceparent` that asked for it. What
    /// nobody asked for begins a trace, which refers to the `cause` by a link, if there is one.
    /// None when this process makes no traces.
    #[must_use]
    pub fn new(id: &str, parent: Option<&str>, cause: Option<&str>) -> Option<Self> {
        let (_, ratio) = TRACER.get()?;
        Some(Self::sampled_by(*ratio, id, parent, cause))
    }

    fn sampled_by(ratio: f64, id: &str, parent: Option<&str>, cause: Option<&str>) -> Self {
        let parent = parent.and_then(context::remote);
        let (own_trace, span_id) = identifiers(id);
        let (trace_id, flags) = match &parent {
            Some(parent) => (parent.trace_id(), parent.trace_flags()),
            None => (own_trace, flags(ratio, own_trace)),
        };
        Self {
            span: SpanContext::new(trace_id, span_id, flags, false, TraceState::NONE),
            parent,
            cause: cause.and_then(context::remote).filter(SpanContext::is_sampled),
        }
    }

    /// What the work of this run goes on from.
    #[must_use]
    pub fn traceparent(&self) -> String {
        context::written(&self.span)
    }

    /// Tells of the run, now that it has ended: once, by whoever ended it. A second time does
    /// no harm, for it is the same span.
    pub fn end(
        &self,
        name: String,
        started: SystemTime,
        attributes: Vec<(&'static str, String)>,
        failed: bool,
    ) {
        if let Some((tracer, _)) = TRACER.get() {
            self.end_with(tracer, name, started, attributes, failed);
        }
    }

    fn end_with(
        &self,
        tracer: &SdkTracer,
        name: String,
        started: SystemTime,
        attributes: Vec<(&'static str, String)>,
        failed: bool,
    ) {
        if !self.span.is_sampled() {
            return;
        }
        let parent = match &self.parent {
            Some(parent) => Context::new().with_remote_span_context(parent.clone()),
            None => Context::new(),
        };
        let attributes = attributes.into_iter().map(|(key, value)| KeyValue::new(key, value));
        let builder = tracer
            .span_builder(name)
            .with_kind(SpanKind::Consumer)
            .with_start_time(started)
            .with_attributes(attributes)
            .with_links(self.cause.clone().map(Link::with_context).into_iter().collect());
        NEXT.set(Some((self.span.trace_id(), self.span.span_id())));
        let mut span = builder.start_with_context(tracer, &parent);
        NEXT.set(None);
        if failed {
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

fn flags(ratio: f64, trace_id: TraceId) -> TraceFlags {
    let sampler = Sampler::TraceIdRatioBased(ratio);
    let sampled = sampler.should_sample(None, trace_id, "", &SpanKind::Consumer, &[], &[]);
    TraceFlags::default().with_sampled(sampled.decision == SamplingDecision::RecordAndSample)
}

/// The identifiers of a run. They are not parts of its own, which is a UUID: its bits are not
/// evenly spread, and shares of traces are taken by the bits of their identifiers.
fn identifiers(id: &str) -> (TraceId, SpanId) {
    let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let (mut trace, mut span) = ([0; 16], [0; 8]);
    trace.copy_from_slice(&digest[..16]);
    span.copy_from_slice(&digest[16..24]);
    (TraceId::from_bytes(trace), SpanId::from_bytes(span))
}

thread_local! {
    /// The identifiers of the span that this thread starts next.
    static NEXT: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

/// Random identifiers, but for spans that have theirs already.
#[derive(Debug, Default)]
pub(crate) struct Identifiers(RandomIdGenerator);

impl IdGenerator for Identifiers {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().map_or_else(|| self.0.new_trace_id(), |(trace_id, _)| trace_id)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().map_or_else(|| self.0.new_span_id(), |(_, span_id)| span_id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

    use super::*;

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const RUN: &str = "0199a6f2-5d5c-7b3e-8a51-6f0a3c1f9d42";

    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, mut spans: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().append(&mut spans);
            Ok(())
        }
    }

    fn told(runs: &[Run]) -> Vec<SpanData> {
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(kept.clone())
            .with_id_generator(Identifiers::default())
            .build();
        let tracer = provider.tracer("test");
        for run in runs {
            let started = SystemTime::UNIX_EPOCH;
            run.end_with(&tracer, "RunWorkflow:X".to_owned(), started, Vec::new(), false);
        }
        std::mem::take(&mut *kept.0.lock().unwrap())
    }

    #[test]
    fn whoever_has_the_run_knows_its_span_and_whoever_ends_it_tells_of_that() {
        let first = Run::sampled_by(1.0, RUN, None, None);
        let other = Run::sampled_by(1.0, RUN, None, Some(CALLER));
        assert_eq!(first.traceparent(), other.traceparent());
        assert_ne!(first.traceparent(), Run::sampled_by(1.0, "another", None, None).traceparent());

        let spans = told(&[first.clone(), other]);

        for span in &spans {
            assert_eq!(context::written(&span.span_context), first.traceparent());
            assert_eq!(span.parent_span_id, SpanId::INVALID, "it begins its trace");
            assert_eq!(span.start_time, SystemTime::UNIX_EPOCH);
        }
        assert!(spans[0].links.links.is_empty());
        assert_eq!(context::written(&spans[1].links.links[0].span_context), CALLER);
    }

    #[test]
    fn what_was_asked_for_is_below_the_call_and_sampled_as_that() {
        let run = Run::sampled_by(0.0, RUN, Some(CALLER), None);
        let span = &told(std::slice::from_ref(&run))[0];
        assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
        assert_eq!(context::written(&span.span_context), run.traceparent());
        assert!(run.traceparent().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));

        let unsampled = CALLER.replace("-01", "-00");
        let run = Run::sampled_by(1.0, RUN, Some(&unsampled), None);
        assert!(run.traceparent().ends_with("-00"));
        assert!(told(&[run]).is_empty());
    }

    #[test]
    fn a_share_of_the_runs_that_nobody_asked_for_is_kept() {
        let sampled = |number: u32| {
            Run::sampled_by(0.25, &format!("run-{number}"), None, None).span.is_sampled()
        };
        let kept = (0..1000).filter(|number| sampled(*number)).count();
        assert!((180..320).contains(&kept), "{kept} of 1,000");
    }
}
