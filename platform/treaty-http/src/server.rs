//! The HTTP server that a site is served by.

use std::convert::Infallible;
use std::time::Duration;

use axum::serve::Listener;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::{Answer, Body, Site};

/// How the server treats connections, and how it ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpServerConfig {
    /// How long requests may go on once the server is asked to stop.
    pub drain_seconds: u64,
    /// How long the head of a request may take to arrive, the wait for it on an idle
    /// connection included; 0 for ever.
    pub header_seconds: u64,
}

impl Default for HttpServerConfig {
    fn default() -> Self {
        Self { drain_seconds: 25, header_seconds: 90 }
    }
}

/// Why a server has stopped unasked.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP server failed")]
pub struct ServeError(#[from] std::io::Error);

impl Service<Request<Incoming>> for Site {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Infallibly;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        Infallibly(self.respond(request.map(Body::from)))
    }
}

/// An answer in hyper's terms.
pub struct Infallibly(Answer);

impl Future for Infallibly {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(cx).map(Ok)
    }
}

/// Serves a site by HTTP/1.1 and HTTP/2 until `shutdown`; then refuses new connections
/// and lets requests end for as long as the configuration says.
///
/// # Errors
/// None at present: a listener that cannot accept waits and tries again, and a
/// connection that fails concerns itself alone.
pub async fn serve(
    mut listener: TcpListener,
    site: Site,
    config: &HttpServerConfig,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let connections = GracefulShutdown::new();
    let builder = builder(config);
    loop {
        let (stream, _) = tokio::select! {
            // axum's listener waits where the process has no file to give.
            accepted = Listener::accept(&mut listener) => accepted,
            () = shutdown.cancelled() => break,
        };
        connect(&builder, &connections, stream, site.clone());
    }
    drop(listener);
    let drain = Duration::from_secs(config.drain_seconds);
    if tokio::time::timeout(drain, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still running when the time to drain was over");
    }
    Ok(())
}

fn builder(config: &HttpServerConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let header = (config.header_seconds > 0).then(|| Duration::from_secs(config.header_seconds));
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(30)));
    builder
}

fn connect(
    builder: &Builder<TokioExecutor>,
    connections: &GracefulShutdown,
    stream: TcpStream,
    site: Site,
) {
    // Small answers must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), site);
    let connection = connections.watch(connection.into_owned());
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error, "a connection ended badly");
        }
    });
}
