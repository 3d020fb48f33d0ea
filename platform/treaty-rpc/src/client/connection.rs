//! One place, and the connection to it.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::address::Place;
use super::pool::{Shared, State};

/// Silence on a connection after which a ping is sent.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// Wait for the answer to that ping before the connection is given up.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Wait before a place that failed is tried again unasked; it doubles up to the longest.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// A connection that ends sooner counts as one that failed.
const LASTING: Duration = Duration::from_secs(1);

/// Why a place cannot be connected to. Shared by all calls that wait for it.
#[derive(Clone, Debug)]
pub(super) struct Unreachable {
    place: String,
    source: Arc<dyn std::error::Error + Send + Sync>,
}

impl Unreachable {
    pub(super) fn new(
        place: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { place: place.into(), source: source.into().into() }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}", self.place)
    }
}

impl std::error::Error for Unreachable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// One place that is kept connected.
pub(super) struct Kept {
    pub(super) id: u64,
    pub(super) place: Place,
    /// Tells that a call waits, so that the next try is made now.
    pub(super) urged: Arc<Notify>,
    pub(super) stop: CancellationToken,
}

/// Connects to a place, and again when the connection is lost, until told to stop.
///
/// Calls that are under way then end as they would have.
pub(super) async fn keep(shared: Arc<Shared>, kept: Kept) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let connected = tokio::select! {
            () = kept.stop.cancelled() => return,
            connected = connect(&kept.place, shared.settings.connect_timeout) => connected,
        };
        match connected {
            Ok((sender, connection)) => {
                let since = Instant::now();
                shared.set(kept.id, State::Ready(sender));
                let ended = tokio::select! {
                    () = kept.stop.cancelled() => return,
                    ended = connection => ended,
                };
                let error = ended.err();
                tracing::debug!(place = %kept.place, ?error, "a connection ended");
                shared.lost();
                if since.elapsed() >= LASTING {
                    backoff = FIRST_BACKOFF;
                    shared.set(kept.id, State::Connecting);
                    continue;
                }
                let error = error.map_or_else(closed_at_once, Into::into);
                shared.set(kept.id, State::Failed(Unreachable::new(&*kept.place.connect, error)));
            }
            Err(error) => {
                tracing::debug!(place = %kept.place, %error, "cannot connect");
                shared.set(kept.id, State::Failed(Unreachable::new(&*kept.place.connect, error)));
                shared.lost();
            }
        }
        let wait = backoff.mul_f64(rand::random_range(0.8..1.2));
        tokio::select! {
            () = kept.stop.cancelled() => return,
            () = kept.urged.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

type Connected = (SendRequest<Body>, Connection<TokioIo<TcpStream>, Body, TokioExecutor>);

fn closed_at_once() -> Box<dyn std::error::Error + Send + Sync> {
    "the connection was closed at once".into()
}

async fn connect(
    place: &Place,
    limit: Duration,
) -> Result<Connected, Box<dyn std::error::Error + Send + Sync>> {
    let connecting = async {
        let stream = TcpStream::connect(&*place.connect).await?;
        // A small request must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true)?;
        let connected = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            // Without this, a connection that a middlebox forgot is found out by the
            // next call instead of before it.
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await?;
        Ok(connected)
    };
    match tokio::time::timeout(limit, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}
