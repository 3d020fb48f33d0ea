//! Logs, traces and metrics of a process, and the trace context that travels with its work.
//!
//! - [`init`] starts the log and, where an endpoint is configured, the export of traces by
//!   OTLP. A collector that is away costs no request and no unbounded memory.
//! - [`context`] is what adapters need: the `traceparent` of what runs now, and spans that go
//!   on where another process was.
//! - [`Run`] is the span of work that no single process holds.
//! - [`statements`] makes spans of the SQL statements that sqlx tells of.
//! - [`Metrics`] answers Prometheus; [`durations`] holds what adapters measure, and a
//!   [`Source`] tells figures that something else keeps.
//!
//! A span of `tracing` becomes part of a trace when it has the field `otel.kind`: what
//! libraries make for themselves stays out of traces, and no exporter can trace itself.
//!
//! Only this crate names OpenTelemetry and the library for Prometheus.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod collector;
pub mod context;
pub mod durations;
mod log;
mod metrics;
mod queue;
mod runs;
mod start;
mod statements;
mod traces;

pub use log::{LogConfig, LogFormat};
pub use metrics::{Metrics, Readings, Source};
pub use runs::Run;
pub use start::{Guard, TelemetryError, init, init_log};
pub use traces::TracesConfig;
