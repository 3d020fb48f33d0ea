//! The body of a request or an answer.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

/// A body: bytes at hand, a body that arrives, or whatever axum has.
///
/// One type for both directions, without a box around what is there already.
#[derive(Debug)]
pub struct Body(Inner);

#[derive(Debug)]
enum Inner {
    Bytes(Option<Bytes>),
    Incoming(Incoming),
    Axum(axum::body::Body),
}

impl Body {
    /// No bytes at all.
    #[must_use]
    pub fn empty() -> Self {
        Self(Inner::Bytes(None))
    }

    pub(crate) fn boxed<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes, Error = axum::Error> + Send + 'static,
    {
        Self(Inner::Axum(axum::body::Body::new(body)))
    }

    /// The bytes that are all of it, when they are known.
    pub(crate) fn known_length(&self) -> Option<u64> {
        self.size_hint().exact()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Bytes((!bytes.is_empty()).then_some(bytes)))
    }
}

impl From<Incoming> for Body {
    fn from(body: Incoming) -> Self {
        Self(Inner::Incoming(body))
    }
}

impl From<axum::body::Body> for Body {
    fn from(body: axum::body::Body) -> Self {
        Self(Inner::Axum(body))
    }
}

impl From<Body> for axum::body::Body {
    fn from(body: Body) -> Self {
        match body.0 {
            Inner::Bytes(None) => Self::empty(),
            Inner::Bytes(Some(bytes)) => bytes.into(),
            Inner::Axum(body) => body,
            Inner::Incoming(body) => Self::new(body),
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.0 {
            Inner::Bytes(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(axum::Error::new),
            Inner::Axum(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Bytes(bytes) => bytes.is_none(),
            Inner::Incoming(body) => body.is_end_stream(),
            Inner::Axum(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Bytes(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Inner::Incoming(body) => body.size_hint(),
            Inner::Axum(body) => body.size_hint(),
        }
    }
}
