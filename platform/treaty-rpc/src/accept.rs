//! The connections of a gRPC server: how they begin, age and end.

use std::time::Duration;

use futures::FutureExt;
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::GrpcServerConfig;

/// Wait after a failure to accept: mostly the process has no file left to give.
const PAUSE: Duration = Duration::from_millis(100);

/// How far the ages of connections are spread, so that those that began together do not
/// end together (gRFC A9).
const JITTER: f64 = 0.1;

/// How a connection is treated.
#[derive(Clone)]
struct Terms {
    builder: Builder<TokioExecutor>,
    /// None for one that may live for ever.
    age: Option<Duration>,
    grace: Duration,
    /// The notice is over.
    close: CancellationToken,
}

/// Accepts connections until `shutdown` and for the time of notice; then closes each after its
/// calls, and what has not ended after the time to drain at once. Whether all ended in time.
///
/// tonic's own server waits for age and grace together and then cuts a connection off,
/// its calls with it, without having asked the client to leave.
pub(crate) async fn accept(
    listener: TcpListener,
    routes: Routes,
    config: &GrpcServerConfig,
    shutdown: CancellationToken,
) -> bool {
    let terms = Terms::new(config);
    let mut connections = JoinSet::new();
    let mut over = std::pin::pin!(async {
        shutdown.cancelled().await;
        tokio::time::sleep(Duration::from_millis(config.notice_milliseconds)).await;
    });
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(terms.clone().serve(stream, routes.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = &mut over => break,
        }
    }
    // Those that the kernel has accepted for us would be reset with the listener.
    while let Some(Ok((stream, _))) = listener.accept().now_or_never() {
        connections.spawn(terms.clone().serve(stream, routes.clone()));
    }
    drop(listener);
    terms.close.cancel();
    let drained = async { while connections.join_next().await.is_some() {} };
    let drain = Duration::from_secs(config.drain_seconds);
    tokio::time::timeout(drain, drained).await.is_ok()
}

impl Terms {
    fn new(config: &GrpcServerConfig) -> Self {
        let seconds = |seconds: u64| (seconds > 0).then(|| Duration::from_secs(seconds));
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            // The limit is one of calls, over all connections.
            .max_concurrent_streams(None)
            .keep_alive_interval(seconds(config.keepalive_interval_seconds))
            .keep_alive_timeout(Duration::from_secs(config.keepalive_timeout_seconds));
        Self {
            builder,
            age: seconds(config.max_connection_age_seconds),
            grace: Duration::from_secs(config.max_connection_age_grace_seconds),
            close: CancellationToken::new(),
        }
    }

    async fn serve(self, stream: TcpStream, routes: Routes) {
        // Small answers must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        let service = TowerToHyperService::new(routes);
        let mut connection =
            std::pin::pin!(self.builder.serve_connection(TokioIo::new(stream), service));
        let aged = tokio::select! {
            ended = connection.as_mut() => return note(ended),
            () = self.close.cancelled() => false,
            () = of_age(self.age) => true,
        };
        // The client is told which calls still count, and brings others elsewhere.
        connection.as_mut().graceful_shutdown();
        let too_late = async {
            if aged {
                tokio::time::sleep(self.grace).await;
            } else {
                // The whole server has a time to drain.
                std::future::pending().await
            }
        };
        tokio::select! {
            ended = connection => note(ended),
            () = too_late => tracing::warn!("calls outlived the grace of an aged connection"),
        }
    }
}

async fn of_age(age: Option<Duration>) {
    match age {
        Some(age) => {
            let jitter = rand::random_range(1.0 - JITTER..1.0 + JITTER);
            tokio::time::sleep(age.mul_f64(jitter)).await;
        }
        None => std::future::pending().await,
    }
}

fn note(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}
