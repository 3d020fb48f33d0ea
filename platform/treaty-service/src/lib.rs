//! What every service process needs, so that its `main` is a table of contents.
//!
//! [`run`] installs the TLS provider, reads arguments and configuration, starts
//! log and traces, builds the runtime, calls the service's own start function and waits
//! for the end: by a signal, or by the failure of a task that was started with
//! [`Shutdown::spawn`].

pub mod config;
pub mod crypto;
pub mod health;
pub mod listen;
mod metrics;
mod run;
mod shutdown;

pub use config::{ConfigError, Validate};
pub use health::{Health, HealthConfig};
pub use listen::ListenConfig;
pub use metrics::MetricsConfig;
pub use run::{ServiceConfig, run};
pub use shutdown::{Shutdown, ShutdownError};
pub use treaty_telemetry::{LogConfig, LogFormat, Metrics, TracesConfig};
