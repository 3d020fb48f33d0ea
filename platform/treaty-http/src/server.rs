//! The HTTP server that a site is served by.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
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
    /// How long the server goes on once it is asked to stop, while each answer tells its
    /// connection to close. A connection that is closed without notice may have a request on
    /// its way, which the caller then cannot know the fate of. Nothing is waited for when
    /// there is no connection.
    pub notice_seconds: u64,
    /// How long requests may go on once the server is asked to stop.
    pub drain_seconds: u64,
    /// How long the head of a request may take to arrive, the wait for it on an idle
    /// connection included; 0 for ever.
    pub header_seconds: u64,
}

impl Default for HttpServerConfig {
    fn default() -> Self {
        Self { notice_seconds: 1, drain_seconds: 25, header_seconds: 90 }
    }
}

/// Why a server has stopped unasked.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP server failed")]
pub struct ServeError(#[from] std::io::Error);

/// A site that tells connections to close once the server is asked to stop.
#[derive(Clone)]
struct Leaving {
    site: Site,
    shutdown: CancellationToken,
}

impl Service<Request<Incoming>> for Leaving {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Infallibly;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // HTTP/2 has a frame for it, which is sent when the notice is over, and knows no
        // such header.
        let can_be_told = request.version() < Version::HTTP_2;
        let answer = self.site.respond(request.map(Body::from));
        Infallibly { answer, shutdown: can_be_told.then(|| self.shutdown.clone()) }
    }
}

/// An answer in hyper's terms.
struct Infallibly {
    answer: Answer,
    shutdown: Option<CancellationToken>,
}

impl Future for Infallibly {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(Pin::new(&mut self.answer).poll(cx));
        if self.shutdown.as_ref().is_some_and(CancellationToken::is_cancelled) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response))
    }
}

/// Serves a site by HTTP/1.1 and HTTP/2 until `shutdown`; then gives notice, refuses new
/// connections and lets requests end, for as long as the configuration says.
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
    let site = Leaving { site, shutdown: shutdown.clone() };
    let notice = Duration::from_secs(config.notice_seconds);
    {
        let mut left = pin!(leave(&shutdown, &connections, notice));
        loop {
            let (stream, _) = tokio::select! {
                // axum's listener waits where the process has no file to give.
                accepted = Listener::accept(&mut listener) => accepted,
                () = &mut left => break,
            };
            connect(&builder, &connections, stream, site.clone());
        }
    }
    drop(listener);
    let drain = Duration::from_secs(config.drain_seconds);
    if tokio::time::timeout(drain, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still running when the time to drain was over");
    }
    Ok(())
}

/// Ends when notice was given to all who are connected.
async fn leave(shutdown: &CancellationToken, connections: &GracefulShutdown, notice: Duration) {
    shutdown.cancelled().await;
    if connections.count() > 0 {
        tokio::time::sleep(notice).await;
    }
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
    site: Leaving,
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
