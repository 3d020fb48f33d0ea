//! The HTTP server that a site is served by.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::serve::Listener;
use futures::FutureExt;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Answer, Body, Site};

/// How often a server that ends looks whether its connections are silent.
const LOOK: Duration = Duration::from_millis(20);

/// How the server treats connections, and how it ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpServerConfig {
    /// How long the server goes on as before once it is asked to stop, but for telling each
    /// caller that its connection ends: whoever watches readiness has gone elsewhere by then.
    pub notice_milliseconds: u64,
    /// How long requests may go on after the notice.
    pub drain_seconds: u64,
    /// How long the head of a request may take to arrive, the wait for it on an idle
    /// connection included; 0 for ever.
    pub header_seconds: u64,
}

impl Default for HttpServerConfig {
    fn default() -> Self {
        Self { notice_milliseconds: 2_000, drain_seconds: 25, header_seconds: 90 }
    }
}

/// Why a server has stopped unasked.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP server failed")]
pub struct ServeError(#[from] std::io::Error);

/// What a connection is answered by.
#[derive(Clone)]
struct Door {
    site: Site,
    end: Arc<End>,
}

/// What connections know of the server's end.
#[derive(Default)]
struct End {
    /// Whether the server has been asked to stop.
    leaving: AtomicBool,
    /// Whether a request by HTTP/1 has come since this was last looked at.
    asked: AtomicBool,
}

impl Service<Request<Incoming>> for Door {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Leaving;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // HTTP/2 has frames of its own for this, and forbids the header.
        let end = (request.version() < Version::HTTP_2).then(|| Arc::clone(&self.end));
        if let Some(end) = end.as_ref().filter(|end| end.leaving.load(Ordering::Relaxed)) {
            end.asked.store(true, Ordering::Relaxed);
        }
        Leaving { answer: self.site.respond(request.map(Body::from)), end }
    }
}

/// An answer that ends its connection when the server is about to end.
struct Leaving {
    answer: Answer,
    end: Option<Arc<End>>,
}

impl Future for Leaving {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        let mut response = std::task::ready!(std::pin::Pin::new(&mut self.answer).poll(cx));
        let leaving = self.end.as_ref().is_some_and(|end| end.leaving.load(Ordering::Relaxed));
        if leaving && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        std::task::Poll::Ready(Ok(response))
    }
}

/// Serves a site by HTTP/1.1 and HTTP/2 until `shutdown`, and then for the time of notice, in
/// which each answer by HTTP/1.1 ends its connection. Then it refuses new connections, and closes
/// those that are idle once none of them has brought a request for as long again. Requests may go
/// on for as long as the configuration says.
///
/// A connection that is closed while it is idle may have a request on its way, which is lost.
/// That is why callers are told before, and why readiness has to be taken back no later than
/// `shutdown`.
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
    let door = Door { site, end: Arc::default() };
    let notice = Duration::from_millis(config.notice_milliseconds);
    let mut over = std::pin::pin!(async {
        shutdown.cancelled().await;
        door.end.leaving.store(true, Ordering::Relaxed);
        tokio::time::sleep(notice).await;
    });
    loop {
        let (stream, _) = tokio::select! {
            // axum's listener waits where the process has no file to give.
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut over => break,
        };
        connect(&builder, &connections, stream, door.clone());
    }
    // Those that the kernel has accepted for us would be reset with the listener.
    while let Some((stream, _)) = Listener::accept(&mut listener).now_or_never() {
        connect(&builder, &connections, stream, door.clone());
    }
    drop(listener);
    let drained = async {
        silence(&connections, &door.end, notice).await;
        connections.shutdown().await;
    };
    let drain = Duration::from_secs(config.drain_seconds);
    if tokio::time::timeout(drain, drained).await.is_err() {
        tracing::warn!("requests were still running when the time to drain was over");
    }
    Ok(())
}

/// Waits until no request has come by HTTP/1 for so long, or no connection is left. It ends, for
/// each of these requests ends its connection, and no new ones come.
async fn silence(connections: &GracefulShutdown, end: &End, wanted: Duration) {
    let mut since = Instant::now();
    while since.elapsed() < wanted && connections.count() > 0 {
        tokio::time::sleep(LOOK.min(wanted)).await;
        if end.asked.swap(false, Ordering::Relaxed) {
            since = Instant::now();
        }
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
    door: Door,
) {
    // Small answers must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), door);
    let connection = connections.watch(connection.into_owned());
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error, "a connection ended badly");
        }
    });
}
