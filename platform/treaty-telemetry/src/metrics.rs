//! The figures of a process, for Prometheus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use axum::routing::get;
use futures::future::join_all;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::durations;

/// How long a source may take to tell its figures.
const PATIENCE: Duration = Duration::from_secs(3);

/// What Prometheus is answered with: OpenMetrics' text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Figures that something else keeps, and that are asked for when they are wanted.
#[async_trait]
pub trait Source: Send + Sync {
    /// Tells all figures as of now. What takes longer than three seconds is left out.
    async fn read(&self, readings: &mut Readings);
}

/// The figures of one process: what adapters measure ([`durations`]), and those of its
/// sources. Cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics {
    sources: Arc<Mutex<Vec<Arc<dyn Source>>>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("sources", &self.sources().len()).finish()
    }
}

impl Metrics {
    /// Without sources.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source.
    pub fn add(&self, source: Arc<dyn Source>) {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// `/metrics`.
    pub fn router(&self) -> Router {
        let metrics = self.clone();
        let answer =
            async move || ([(CONTENT_TYPE, OPEN_METRICS)], metrics.text().await).into_response();
        Router::new().route("/metrics", get(answer))
    }

    /// All figures as of now, in OpenMetrics' text format.
    pub async fn text(&self) -> String {
        let sources = self.sources();
        let told = sources.iter().map(|source| async move {
            let mut readings = Readings::default();
            let read = tokio::time::timeout(PATIENCE, source.read(&mut readings)).await;
            read.is_ok().then_some(readings)
        });
        let mut all = Readings::default();
        for readings in join_all(told).await.into_iter().flatten() {
            all.merge(readings);
        }
        let mut registry = Registry::default();
        registry.register_collector(Box::new(all));
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = encode_registry(&mut text, durations::registry())
            .and_then(|()| encode_registry(&mut text, &registry))
            .and_then(|()| encode_eof(&mut text));
        text
    }

    fn sources(&self) -> Vec<Arc<dyn Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What sources have told.
#[derive(Debug, Default)]
pub struct Readings(BTreeMap<&'static str, Reading>);

#[derive(Debug)]
struct Reading {
    help: &'static str,
    rows: Vec<(Labels, Value)>,
}

type Labels = Vec<(&'static str, String)>;

#[derive(Clone, Copy, Debug)]
enum Value {
    Counter(u64),
    Gauge(f64),
}

impl Value {
    fn encode(self, row: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Counter(value) => ConstCounter::new(value).encode(row),
            Self::Gauge(value) => ConstGauge::new(value).encode(row),
        }
    }
}

impl Readings {
    /// A number that never falls while the process lives. `name` is without `_total`.
    pub fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        value: u64,
    ) {
        self.add(name, help, labels, Value::Counter(value));
    }

    /// A state.
    pub fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        value: f64,
    ) {
        self.add(name, help, labels, Value::Gauge(value));
    }

    fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        value: Value,
    ) {
        let labels = labels.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let reading = self.0.entry(name).or_insert_with(|| Reading { help, rows: Vec::new() });
        reading.rows.push((labels, value));
    }

    fn merge(&mut self, other: Self) {
        for (name, reading) in other.0 {
            match self.0.get_mut(name) {
                Some(known) => known.rows.extend(reading.rows),
                None => drop(self.0.insert(name, reading)),
            }
        }
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, reading) in &self.0 {
            let kind = match reading.rows.first() {
                Some((_, Value::Counter(_))) => MetricType::Counter,
                _ => MetricType::Gauge,
            };
            let mut metric = encoder.encode_descriptor(name, reading.help, None, kind)?;
            for (labels, value) in &reading.rows {
                value.encode(metric.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    #[async_trait]
    impl Source for Two {
        async fn read(&self, readings: &mut Readings) {
            readings.counter("jobs", "Jobs", &[("kind", "a\"b")], 7);
            readings.gauge("depth", "Depth", &[], 1.5);
        }
    }

    struct Hanging;

    #[async_trait]
    impl Source for Hanging {
        async fn read(&self, _: &mut Readings) {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sources_are_told_together_and_one_that_hangs_is_left_out() {
        let metrics = Metrics::new();
        metrics.add(Arc::new(Two));
        metrics.add(Arc::new(Hanging));
        metrics.add(Arc::new(Two));
        durations::call_served("p.S/M", "OK", Duration::from_millis(2));
        let text = metrics.text().await;
        assert_eq!(text.matches("# TYPE jobs counter").count(), 1, "{text}");
        assert_eq!(text.matches(r#"jobs_total{kind="a\"b"} 7"#).count(), 2, "{text}");
        assert!(text.contains("depth{} 1.5"), "{text}");
        let bucket = r#"rpc_server_call_duration_seconds_bucket{le="0.0025",rpc_method="p.S/M",rpc_status_code="OK"} 1"#;
        assert!(text.contains(bucket), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
