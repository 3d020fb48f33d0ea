//! The way of a request to one of a service's places.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderValue;
use http::header::USER_AGENT;
use http::uri::{Scheme, Uri};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::connection::Unreachable;
use super::pool::{Flight, Pool};

/// How we call ourselves to servers, as gRPC over HTTP/2 asks for.
const AGENT: &str = concat!("grpc-rust-treaty/", env!("CARGO_PKG_VERSION"));

/// What tonic's generated clients are built over: each request goes to the place with
/// the fewest calls under way.
///
/// tonic's own channel sends requests to places that it knows to be down, fails those
/// that meet a connection just as its server closes it, and has no names with changing
/// addresses. Here a request that has not left is never lost: hyper gives it back, and
/// it goes to another place.
///
/// hyper resets a call that is dropped before its answer has begun. After that, it goes
/// on sending requests for as long as they come, although nobody reads the answers any
/// more. So the requests of a call whose extensions hold a [`CancellationToken`] fail
/// when that is cancelled, which resets the call.
#[derive(Clone)]
pub struct Transport(pub(super) Arc<Pool>);

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// The places that the attempts of one call have gone to, so that a repeat goes to
/// another. Handed down in the extensions of its requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Tried(Arc<Mutex<Vec<u64>>>);

impl Tried {
    fn places(&self) -> Vec<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, id: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }
}

/// Why a request that had left came to nothing.
#[derive(Debug, thiserror::Error)]
#[error("the connection failed")]
struct Lost {
    /// Whether the server says that it has not looked at it.
    untouched: bool,
    #[source]
    source: hyper::Error,
}

/// Whether the server says that it has not looked at the call, so that it can be made
/// again whatever it does (gRFC A6, "transparent retries").
pub(super) fn is_untouched(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut chain = std::iter::successors(Some(error), |error| error.source());
    chain.any(|error| error.downcast_ref::<Lost>().is_some_and(|lost| lost.untouched))
}

impl Service<http::Request<Body>> for Transport {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // Where a request can go is known when there is one.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let given_up = request.extensions_mut().remove::<CancellationToken>();
        if let Some(given_up) = given_up {
            request = request.map(|body| {
                let given_up = Box::pin(given_up.cancelled_owned());
                Body::new(GivenUp { body, given_up })
            });
        }
        request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        let pool = Arc::clone(&self.0);
        Box::pin(async move { send(&pool, request).await })
    }
}

async fn send(
    pool: &Pool,
    mut request: http::Request<Body>,
) -> Result<http::Response<Body>, Status> {
    let tried = request.extensions_mut().remove::<Tried>();
    loop {
        let earlier = tried.as_ref().map(Tried::places).unwrap_or_default();
        let mut chosen = pool.choose(&earlier).await.map_err(unreachable)?;
        let mut uri = std::mem::take(request.uri_mut()).into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(chosen.place.authority.clone());
        *request.uri_mut() =
            Uri::from_parts(uri).map_err(|error| Status::internal(error.to_string()))?;
        match chosen.sender.try_send_request(request).await {
            Ok(response) => {
                if let Some(tried) = &tried {
                    tried.add(chosen.id);
                }
                return Ok(response.map(|body| Body::new(Counted { body, _flight: chosen.flight })));
            }
            Err(mut error) => match error.take_message() {
                // The connection was closing: it is not chosen again.
                Some(unsent) => request = unsent,
                None => {
                    if let Some(tried) = &tried {
                        tried.add(chosen.id);
                    }
                    return Err(lost(error.into_error()));
                }
            },
        }
    }
}

fn unreachable(failure: Unreachable) -> Status {
    let mut status = Status::unavailable(failure.to_string());
    status.set_source(Arc::new(failure));
    status
}

fn lost(source: hyper::Error) -> Status {
    use std::error::Error as _;
    let cause = source.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    let untouched = cause.is_some_and(|cause| {
        let reason = cause.reason();
        reason == Some(h2::Reason::REFUSED_STREAM)
            || cause.is_go_away() && cause.is_remote() && reason == Some(h2::Reason::NO_ERROR)
    });
    // The server's answer to a call that was given up, or its own timer, is the one
    // reset that is not a failure of the connection.
    let cancelled = cause.is_some_and(|cause| cause.reason() == Some(h2::Reason::CANCEL));
    let message = source.to_string();
    let mut status =
        if cancelled { Status::cancelled(message) } else { Status::unavailable(message) };
    status.set_source(Arc::new(Lost { untouched, source }));
    status
}

/// An answer that counts as under way until its end.
struct Counted {
    body: Incoming,
    _flight: Flight,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that fails when its call is given up.
struct GivenUp {
    body: Body,
    given_up: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl http_body::Body for GivenUp {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.given_up.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Status::cancelled("the call was given up"))));
        }
        Poll::Ready(ready!(Pin::new(&mut self.body).poll_frame(cx)))
    }
}
