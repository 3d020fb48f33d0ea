//! tonic's channel, with one promise more: a call that is given up stops sending.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::channel::ResponseFuture;
use tower::Service;

/// What tonic's generated clients are built over.
///
/// The HTTP library below resets a call that is dropped before its answer has begun.
/// After that, it goes on sending requests for as long as they come, although nobody
/// reads the answers any more. So the requests of a call whose extensions hold a
/// [`CancellationToken`] fail when that is cancelled, which resets the call.
#[derive(Clone, Debug)]
pub struct Transport(pub(super) tonic::transport::Channel);

impl Service<http::Request<Body>> for Transport {
    type Response = http::Response<Body>;
    type Error = tonic::transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let given_up = request.extensions().get::<CancellationToken>().cloned();
        self.0.call(match given_up {
            Some(given_up) => request.map(|body| {
                let given_up = Box::pin(given_up.cancelled_owned());
                Body::new(GivenUp { body, given_up })
            }),
            None => request,
        })
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
