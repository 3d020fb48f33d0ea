//! Streaming calls that leave.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, Span};
use treaty_error::Error;

use super::attempts::{Attempts, failure};
use super::call::{record, span};
use super::channel::Channel;
use crate::guard::Guarded;
use crate::run::panic_text;
use crate::{Context, MessageStream, MethodSpec};

/// Makes a call that is answered by a stream. The deadline covers the stream to its
/// end. The call is repeated, as the contract allows, only until the answer has begun.
///
/// # Errors
/// As [`call`](crate::call), before the answer has begun; after that the same errors
/// are the stream's last item.
pub async fn call_server_streaming<Q, R, F, Fut>(
    spec: &'static MethodSpec,
    channel: &Channel,
    context: &Context,
    request: Q,
    send: F,
) -> Result<MessageStream<R>, Error>
where
    Q: Clone,
    R: Send + 'static,
    F: Fn(Request<Q>) -> Fut,
    Fut: Future<Output = Result<Response<Streaming<R>>, Status>>,
{
    let (span, started) = (span(spec, context), Instant::now());
    let opening = async {
        let opened = async {
            let attempts = Attempts::begin(spec, channel, context)?;
            Ok((attempts.deadline(), attempts.repeated(request, send).await?))
        };
        noted(spec, started, opened.await)
    };
    let (deadline, streaming) = opening.instrument(span.clone()).await?;
    Ok(watched(Answers { spec, streaming, deadline, failed: None, _guard: None }, span, started))
}

/// Makes a call that sends a stream. When the stream of requests fails, the call is
/// cancelled and that error is the outcome: a half of it is never taken for the whole.
///
/// # Errors
/// As [`call`](crate::call), and the first error of `requests`.
pub async fn call_client_streaming<Q, R, F, Fut>(
    spec: &'static MethodSpec,
    channel: &Channel,
    context: &Context,
    requests: MessageStream<Q>,
    send: F,
) -> Result<R, Error>
where
    F: FnOnce(Request<Requests<Q>>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let started = Instant::now();
    async move {
        let (requests, failed) = Requests::new(requests);
        let (mut failed, given_up) = (Some(failed), CancellationToken::new());
        let _guard = given_up.clone().drop_guard();
        let called = async {
            let attempts = Attempts::begin(spec, channel, context)?.given_up_with(given_up);
            attempts.only(requests, send).await
        };
        let result = tokio::select! {
            biased;
            error = first_failure(&mut failed) => Err(error),
            result = called => result,
        };
        record(spec, result.as_ref().map(|_| ()), started);
        result
    }
    .instrument(span(spec, context))
    .await
}

/// Makes a call that sends a stream and is answered by one, both at the same time.
///
/// # Errors
/// As [`call_client_streaming`] before the answer has begun; after that the same
/// errors are the stream's last item.
pub async fn call_bidi_streaming<Q, R, F, Fut>(
    spec: &'static MethodSpec,
    channel: &Channel,
    context: &Context,
    requests: MessageStream<Q>,
    send: F,
) -> Result<MessageStream<R>, Error>
where
    R: Send + 'static,
    F: FnOnce(Request<Requests<Q>>) -> Fut,
    Fut: Future<Output = Result<Response<Streaming<R>>, Status>>,
{
    let (span, started) = (span(spec, context), Instant::now());
    let (requests, failed) = Requests::new(requests);
    let (mut failed, given_up) = (Some(failed), CancellationToken::new());
    let guard = given_up.clone().drop_guard();
    let opening = async {
        let called = async {
            let attempts = Attempts::begin(spec, channel, context)?.given_up_with(given_up);
            Ok((attempts.deadline(), attempts.only(requests, send).await?))
        };
        noted(
            spec,
            started,
            tokio::select! {
                biased;
                error = first_failure(&mut failed) => Err(error),
                opened = called => opened,
            },
        )
    };
    let (deadline, streaming) = opening.instrument(span.clone()).await?;
    Ok(watched(Answers { spec, streaming, deadline, failed, _guard: Some(guard) }, span, started))
}

/// Notes a failure before a stream has begun; what comes after is the guard's to note.
fn noted<T>(
    spec: &'static MethodSpec,
    started: Instant,
    opened: Result<T, Error>,
) -> Result<T, Error> {
    if let Err(error) = &opened {
        record(spec, Err(error), started);
    }
    opened
}

fn watched<R: Send + 'static>(
    answers: Answers<R>,
    span: Span,
    started: Instant,
) -> MessageStream<R> {
    let (deadline, call) = (Some(answers.deadline), (answers.spec, started));
    let on_end = |spec, outcome: Result<(), &Error>, _, started| record(spec, outcome, started);
    Box::pin(Guarded::new(Box::pin(answers), deadline, span, call, on_end))
}

/// The first failure of the requests; never, when they end well.
async fn first_failure(failed: &mut Option<oneshot::Receiver<Error>>) -> Error {
    if let Some(receiver) = failed
        && let Ok(error) = receiver.await
    {
        return error;
    }
    *failed = None;
    std::future::pending().await
}

/// What a server answers, in our terms, until the requests fail.
struct Answers<R> {
    spec: &'static MethodSpec,
    streaming: Streaming<R>,
    deadline: Instant,
    failed: Option<oneshot::Receiver<Error>>,
    /// Stops the requests when the answers are dropped.
    _guard: Option<DropGuard>,
}

impl<R> Stream for Answers<R> {
    type Item = Result<R, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        if let Some(receiver) = &mut self.failed
            && let Poll::Ready(failed) = receiver.poll_unpin(cx)
        {
            self.failed = None;
            if let Ok(error) = failed {
                return Poll::Ready(Some(Err(error)));
            }
        }
        let (spec, deadline) = (self.spec, self.deadline);
        let polled = self.streaming.poll_next_unpin(cx);
        polled.map(|item| item.map(|item| item.map_err(|status| failure(spec, status, deadline))))
    }
}

/// A stream of requests in tonic's terms, which know no failure: when one comes, the
/// stream says so to whoever makes the call and stays open, for its end would tell the
/// server that all requests are there.
pub struct Requests<Q> {
    inner: MessageStream<Q>,
    failed: Option<oneshot::Sender<Error>>,
}

impl<Q> Requests<Q> {
    fn new(inner: MessageStream<Q>) -> (Self, oneshot::Receiver<Error>) {
        let (sender, receiver) = oneshot::channel();
        (Self { inner, failed: Some(sender) }, receiver)
    }
}

impl<Q> Stream for Requests<Q> {
    type Item = Q;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Q>> {
        if self.failed.is_none() {
            return Poll::Pending;
        }
        // The connection's task polls this: a panic must end the call and not all calls
        // of the connection. The source is not asked again, which makes the assertion
        // true.
        let polled = AssertUnwindSafe(|| self.inner.poll_next_unpin(cx));
        let polled = std::panic::catch_unwind(polled)
            .unwrap_or_else(|panic| Poll::Ready(Some(Err(Error::internal(panic_text(&*panic))))));
        match polled {
            Poll::Ready(Some(Err(error))) => {
                if let Some(failed) = self.failed.take() {
                    // Nobody listens when the call is over, and then nothing is missed.
                    let _ = failed.send(error);
                }
                Poll::Pending
            }
            Poll::Ready(Some(Ok(request))) => Poll::Ready(Some(request)),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<Q> std::fmt::Debug for Requests<Q> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requests").field("failed", &self.failed.is_none()).finish_non_exhaustive()
    }
}
