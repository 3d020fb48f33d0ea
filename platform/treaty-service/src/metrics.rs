//! Where Prometheus is answered.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use treaty_telemetry::Metrics;

use crate::{ListenConfig, Shutdown};

/// Where `/metrics` answers; nowhere without an address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: Option<SocketAddr>,
    /// File to write the address to once it is known.
    pub address_file: Option<PathBuf>,
}

impl MetricsConfig {
    /// Answers until the shutdown, in a task of its own.
    ///
    /// # Errors
    /// The address is taken or not ours, or the file cannot be written.
    pub async fn serve(&self, metrics: &Metrics, shutdown: &Shutdown) -> std::io::Result<()> {
        let Some(listen) = self.listen else { return Ok(()) };
        let listen = ListenConfig { listen, address_file: self.address_file.clone() };
        let (listener, router, stop) = (listen.bind().await?, metrics.router(), shutdown.token());
        tracing::info!(metrics = %listener.local_addr()?, "listening");
        shutdown.spawn("metrics", async move {
            let stopped = async move { stop.cancelled().await };
            axum::serve(listener, router).with_graceful_shutdown(stopped).await
        });
        Ok(())
    }
}
