//! The export of traces.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};
use serde::Deserialize;
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use crate::TelemetryError;
use crate::collector::Collector;
use crate::queue::{Bounded, Room};
use crate::runs::Identifiers;

/// Most spans that are sent at once.
const BATCH: usize = 512;

/// Where traces go, and how many of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// Address of the collector, above `/v1/traces` (OTLP over HTTP, usually port 4318);
    /// without it no traces are made.
    pub endpoint: Option<Url>,
    /// Share of the traces that are begun here and kept, 0 to 1. What continues a trace does
    /// as its beginning did.
    pub ratio: f64,
    /// Spans that wait for the collector at most; what is more is dropped.
    pub queue: usize,
    /// Milliseconds after which spans are sent, also when they are few.
    pub delay_milliseconds: u64,
    /// Seconds until the collector must have answered.
    pub timeout_seconds: u64,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            ratio: 1.0,
            queue: 4096,
            delay_milliseconds: 2_000,
            timeout_seconds: 5,
        }
    }
}

impl TracesConfig {
    /// Keys whose values cannot work, each with what is expected.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let demands = [
            (self.endpoint.as_ref().is_none_or(is_http), "traces.endpoint", "an http(s) address"),
            ((0.0..=1.0).contains(&self.ratio), "traces.ratio", "0 to 1"),
            (self.queue >= BATCH, "traces.queue", "at least 512"),
            (self.delay_milliseconds >= 1, "traces.delay_milliseconds", "at least 1"),
            (self.timeout_seconds >= 1, "traces.timeout_seconds", "at least 1"),
        ];
        let unmet = demands.into_iter().filter(|(met, _, _)| !met);
        unmet.map(|(_, key, expected)| (key, expected)).collect()
    }
}

/// What exports to the endpoint; none when there is no endpoint.
pub(crate) fn provider(
    service: &'static str,
    config: &TracesConfig,
    runtime: &Handle,
) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    let Some(endpoint) = &config.endpoint else { return Ok(None) };
    let timeout = Duration::from_secs(config.timeout_seconds);
    let room = Room::new(config.queue);
    let collector = Collector::new(endpoint, timeout, runtime.clone(), Arc::clone(&room));
    let batch = BatchConfigBuilder::default()
        .with_max_queue_size(config.queue)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(Duration::from_millis(config.delay_milliseconds))
        .build();
    let processor = BatchSpanProcessor::builder(collector.map_err(TelemetryError::Traces)?)
        .with_batch_config(batch)
        .build();
    // What was sampled where it began stays whole.
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.ratio)));
    Ok(Some(
        SdkTracerProvider::builder()
            .with_span_processor(Bounded { inner: processor, room })
            .with_sampler(sampler)
            .with_id_generator(Identifiers::default())
            .with_resource(resource(service))
            .build(),
    ))
}

/// What all spans of this process have in common; `OTEL_RESOURCE_ATTRIBUTES` adds to it, for
/// a cluster that knows more, such as the pod's name.
fn resource(service: &'static str) -> Resource {
    use opentelemetry::KeyValue;
    let instance = uuid::Uuid::new_v4().to_string();
    Resource::builder()
        .with_service_name(service)
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance),
        ])
        .build()
}

pub(crate) fn tracer(provider: &SdkTracerProvider) -> SdkTracer {
    provider.tracer("treaty")
}

/// Whether a library makes the span for itself, though it says its kind: that of Temporal does so
/// for each attempt and for each workflow in memory, in traces of their own, since the context that
/// came with the task is unknown to it. The adapter makes spans that go on in that.
fn is_foreign(target: &str) -> bool {
    target.starts_with("temporalio_")
}

/// Makes spans with the field `otel.kind` part of traces, and warnings within them too.
pub(crate) fn layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let wanted = filter_fn(|metadata| {
        if metadata.is_span() {
            metadata.fields().field("otel.kind").is_some() && !is_foreign(metadata.target())
        } else {
            *metadata.level() <= Level::WARN
        }
    });
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_filter(wanted.with_max_level_hint(LevelFilter::INFO))
}

#[cfg(test)]
mod tests;
