//! Sheds calls above a limit instead of queueing them.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;
use treaty_error::{Code, Error};

use crate::body::{Held, Whole};
use crate::to_status;

/// When a caller that was shed may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A service that takes part in a limit shared by all services of a server.
///
/// A queue in front of a busy server only makes every answer late; a prompt
/// `RESOURCE_EXHAUSTED` lets the caller decide. Health and reflection stand
/// outside, so that a busy server is not taken for a dead one.
#[derive(Clone)]
pub(crate) struct Limited<S> {
    inner: S,
    permits: Arc<Semaphore>,
}

impl<S> Limited<S> {
    pub(crate) fn new(inner: S, permits: Arc<Semaphore>) -> Self {
        Self { inner, permits }
    }
}

impl<S: NamedService> NamedService for Limited<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Limited<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            tracing::warn!(path = request.uri().path(), "call shed: too many in flight");
            let error = Error::new(Code::ResourceExhausted, "too many calls in flight")
                .with_retry_after(RETRY_AFTER);
            return Box::pin(std::future::ready(Ok(to_status(&error).into_http())));
        };
        let answer = self.inner.call(request.map(Whole::guard));
        Box::pin(async move { Ok(answer.await?.map(|body| Held::until_sent(body, permit))) })
    }
}
