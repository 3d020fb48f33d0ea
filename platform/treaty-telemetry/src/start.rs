//! Starting the log and the traces of a process.

use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::{LogConfig, TracesConfig, context, log, runs, statements, traces};

/// How long the end of a process waits for spans that are not delivered yet.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Why log and traces did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("log.filter is not a list of directives such as info,sqlx=warn")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The process has a log already.
    #[error("the log was started twice")]
    Twice(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The exporter of traces cannot be made.
    #[error("the traces cannot be exported")]
    Traces(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps log and traces going. Drop it after the last span, and before the runtime: it
/// delivers what is not delivered yet, for two seconds at most.
#[derive(Debug)]
#[must_use = "the traces end when the guard is dropped"]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            // A collector that does not answer was told of when it began.
            let _ = provider.shutdown_with_timeout(FLUSH_TIME);
        }
    }
}

/// Starts the log, on standard error, and the export of traces where an endpoint is
/// configured. The exporter makes its calls on `runtime`.
///
/// # Errors
/// The filter is wrong, the exporter cannot be made, or there is a log already.
pub fn init(
    service: &'static str,
    log: &LogConfig,
    traces: &TracesConfig,
    runtime: &Handle,
) -> Result<Guard, TelemetryError> {
    let Some(provider) = traces::provider(service, traces, runtime)? else {
        return init_log(log);
    };
    let tracer = traces::tracer(&provider);
    // Each layer has a filter of its own: what is not for the log may be for a trace.
    let registry = tracing_subscriber::registry()
        .with(traces::layer(tracer.clone()))
        .with(statements::layer(Some(tracer.clone())))
        .with(log::layer(log).with_filter(filter(log)?));
    start(registry)?;
    context::turn_on();
    runs::turn_on(tracer, traces.ratio);
    Ok(Guard { provider: Some(provider) })
}

/// Starts the log alone.
///
/// # Errors
/// The filter is wrong, or there is a log already.
pub fn init_log(log: &LogConfig) -> Result<Guard, TelemetryError> {
    let registry = tracing_subscriber::registry()
        .with(statements::layer(None))
        .with(log::layer(log).with_filter(filter(log)?));
    start(registry)?;
    Ok(Guard { provider: None })
}

fn start<S>(registry: S) -> Result<(), TelemetryError>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync + 'static,
{
    registry.try_init().map_err(|error| TelemetryError::Twice(error.into()))
}

fn filter(config: &LogConfig) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(&config.filter).map_err(TelemetryError::Filter)
}
