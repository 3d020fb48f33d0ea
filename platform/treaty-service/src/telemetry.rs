//! The log.

use std::io::IsTerminal as _;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For a person.
    Pretty,
}

/// What is logged and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// How a line looks.
    pub format: LogFormat,
    /// Directives such as `info,sqlx=warn`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Auto, filter: "info".to_owned() }
    }
}

/// Why the log did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("log.filter is not a list of directives such as info,sqlx=warn")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The process has a log already.
    #[error("the log was started twice")]
    Twice(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps the log going; drop it last.
#[derive(Debug)]
#[must_use = "the log ends when the guard is dropped"]
pub struct Guard {
    service: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Lines are written as they come, so there is nothing to flush. Exporters
        // will be ended here.
        tracing::debug!(service = self.service, "log ends");
    }
}

/// Starts the log, on standard error.
///
/// # Errors
/// The filter is wrong, or there is a log already.
pub fn init(service: &str, config: &LogConfig) -> Result<Guard, TelemetryError> {
    let filter = EnvFilter::try_new(&config.filter).map_err(TelemetryError::Filter)?;
    let terminal = std::io::stderr().is_terminal();
    let json = match config.format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !terminal,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE);
    let started = if json {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(true).try_init()
    } else {
        builder.with_ansi(terminal).try_init()
    };
    started.map_err(TelemetryError::Twice)?;
    Ok(Guard { service: service.to_owned() })
}
