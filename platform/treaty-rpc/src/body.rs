//! Bodies of calls, in and out of a server.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tonic::body::Body;
use tonic::{Code, Status};

/// The answer of a call that counts as in flight until it has been sent or given up: a
/// stream is one for as long as it flows.
pub(crate) struct Held {
    body: Body,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    pub(crate) fn until_sent(body: Body, permit: OwnedSemaphorePermit) -> Body {
        Body::new(Self { body, _permit: permit })
    }
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The requests of a call, whose early end is a failure.
///
/// tonic takes the reset of a call for the end of its requests, so that a handler which
/// collects them would take a part for the whole, and might commit it before it is
/// dropped. Here the reset keeps being a failure: see [`is_given_up`].
pub(crate) struct Whole(Body);

impl Whole {
    pub(crate) fn guard(body: Body) -> Body {
        Body::new(Self(body))
    }
}

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.0).poll_frame(cx).map_err(|status| match status.code() {
            Code::Cancelled => {
                let mut failed = Status::unknown("the caller gave the call up");
                failed.set_source(Arc::new(GivenUp(status)));
                failed
            }
            _ => status,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// The mark by which the failure is known again.
#[derive(Debug, thiserror::Error)]
#[error("the call was reset")]
struct GivenUp(#[source] Status);

/// Whether a caller's stream of requests ended because the caller gave the call up.
pub(crate) fn is_given_up(status: &Status) -> bool {
    status.source().is_some_and(|source| source.is::<GivenUp>())
}
