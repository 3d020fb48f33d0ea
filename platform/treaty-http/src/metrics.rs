//! How many requests each route has answered, with which status and how fast.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use crate::Route;

/// Upper bounds of the buckets of times, in microseconds.
const BOUNDS_MICROS: [u64; 12] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000];

/// Statuses are counted by their first digit.
const CLASSES: [&str; 6] = ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// What one route has answered.
#[derive(Debug)]
pub(crate) struct RouteStats {
    route: &'static Route,
    classes: [AtomicU64; CLASSES.len()],
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
    micros: AtomicU64,
}

impl RouteStats {
    pub(crate) fn new(route: &'static Route) -> Self {
        Self {
            route,
            classes: Default::default(),
            buckets: Default::default(),
            micros: AtomicU64::new(0),
        }
    }

    /// Counts an answer; a stream counts when it begins.
    pub(crate) fn record(&self, status: StatusCode, elapsed: Duration) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.iter().position(|bound| micros <= *bound);
        let class = usize::from(status.as_u16() / 100);
        if let Some(class) = self.classes.get(class) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(bucket) = self.buckets.get(bucket.unwrap_or(BOUNDS_MICROS.len())) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// The figures of every route. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Vec<Arc<RouteStats>>>);

impl Metrics {
    pub(crate) fn new(stats: Vec<Arc<RouteStats>>) -> Self {
        Self(Arc::new(stats))
    }

    pub(crate) fn of(&self, index: usize) -> Option<Arc<RouteStats>> {
        self.0.get(index).map(Arc::clone)
    }

    /// The figures in Prometheus's text format (version 0.0.4).
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut text = String::from("# TYPE http_server_requests_total counter\n");
        for stats in self.0.iter() {
            let labels = labels(stats.route);
            for (class, count) in CLASSES.iter().zip(&stats.classes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let _ = writeln!(
                        text,
                        "http_server_requests_total{{{labels},status=\"{class}\"}} {count}"
                    );
                }
            }
        }
        text.push_str("# TYPE http_server_request_duration_seconds histogram\n");
        for stats in self.0.iter() {
            histogram(&mut text, stats);
        }
        text
    }
}

fn histogram(text: &mut String, stats: &RouteStats) {
    let labels = labels(stats.route);
    let name = "http_server_request_duration_seconds";
    let mut total = 0;
    let bounds = BOUNDS_MICROS.iter().map(|micros| seconds(*micros));
    for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(&stats.buckets) {
        total += count.load(Ordering::Relaxed);
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {total}");
    }
    let sum = seconds(stats.micros.load(Ordering::Relaxed));
    let _ = writeln!(text, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {total}");
}

fn labels(route: &Route) -> String {
    let path = route.template.text.replace('\\', "\\\\").replace('"', "\\\"");
    let method = route.spec.path.trim_start_matches('/');
    format!("http_route=\"{} {path}\",rpc_method=\"{method}\"", route.verb.as_str())
}

fn seconds(micros: u64) -> String {
    format!("{}", Duration::from_micros(micros).as_secs_f64())
}
