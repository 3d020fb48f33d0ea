//! What every call goes through, whichever door it came by.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll, ready};
use std::time::Instant;

use pin_project_lite::pin_project;
use tokio::task::coop::{Unconstrained, unconstrained};
use tokio::time::Sleep;
use tracing::{Span, field};
use treaty_error::{Code, Error};
use treaty_telemetry::{context as trace, durations};

use crate::guard::Guarded;
use crate::{Context, MessageStream, MethodSpec, admit};

/// Runs one call of a method for a caller: who may call, for how long, one span,
/// and one log line when the failure is ours.
///
/// `run` gets the context with the deadline narrowed to the method's. When time
/// runs out, its future is dropped where it waits.
///
/// # Errors
/// Those of [`admit`], those of `run`, `DEADLINE_EXCEEDED` when time ran out, and
/// `INTERNAL` when `run` panicked.
pub fn admit_and_run<T, F, Fut>(
    spec: &'static MethodSpec,
    context: &Context,
    run: F,
) -> impl Future<Output = Result<T, Error>>
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    Call::begin(spec, context, |spec, outcome, started| record(spec, outcome, None, started), run)
}

/// Runs one call that answers with a stream, under the same rules as
/// [`admit_and_run`]. The deadline, the containment of panics, the span and the log
/// line go on until the stream has ended; dropping it before ends the call.
///
/// # Errors
/// As [`admit_and_run`], before the stream has begun; after that the same errors
/// are its last item.
pub async fn admit_and_stream<T, F, Fut>(
    spec: &'static MethodSpec,
    context: &Context,
    run: F,
) -> Result<MessageStream<T>, Error>
where
    T: 'static,
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = Result<MessageStream<T>, Error>>,
{
    let if_refused = |spec, outcome: Result<(), &Error>, started| {
        if outcome.is_err() {
            record(spec, outcome, None, started);
        }
    };
    let opening = Call::begin(spec, context, if_refused, run);
    let (span, started, deadline) = (opening.span.clone(), opening.started, opening.deadline);
    let stream = opening.await?;
    let on_end = |spec, outcome: Result<(), &Error>, messages, started| {
        record(spec, outcome, Some(messages), started);
    };
    Ok(Box::pin(Guarded::new(stream, deadline, span, (spec, started), on_end)))
}

fn span(spec: &MethodSpec, context: &Context) -> Span {
    // Behind the HTTP gateway it is a step of the request.
    let is_first = !trace::is_traced();
    let kind = if is_first { "server" } else { "internal" };
    let span = tracing::info_span!(
        "rpc",
        otel.kind = kind,
        otel.name = spec.full_method(),
        rpc.method = spec.full_method(),
        rpc.status_code = field::Empty,
        caller = %context.caller(),
        request_id = context.request_id(),
        traceparent = context.traceparent(),
    );
    trace::continue_in(&span, context.traceparent());
    if is_first {
        trace::caused_by(&span, context.foreign_traceparent());
    }
    span
}

pin_project! {
    /// One call under way: polled inside its span, until its deadline, its panics turned
    /// into failures. One layer instead of one for each, because every layer of futures
    /// is a copy of what they hold.
    struct Call<Fut> {
        // None for a call that was refused, and once it has ended.
        #[pin]
        future: Option<Fut>,
        refusal: Option<Error>,
        deadline: Option<Instant>,
        // Made when the call has to wait for the first time, which most need not.
        timer: Option<Pin<Box<Unconstrained<Sleep>>>>,
        span: Span,
        spec: &'static MethodSpec,
        started: Instant,
        on_end: OnEnd,
    }

    impl<Fut> PinnedDrop for Call<Fut> {
        // What is given up ends inside the span too.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = this.span.enter();
                this.future.set(None);
            }
        }
    }
}

/// Told once how a call ended, inside its span.
type OnEnd = fn(&'static MethodSpec, Result<(), &Error>, Instant);

impl<Fut> Call<Fut> {
    fn begin(
        spec: &'static MethodSpec,
        context: &Context,
        on_end: OnEnd,
        run: impl FnOnce(Context) -> Fut,
    ) -> Self {
        let started = Instant::now();
        let span = span(spec, context);
        let admitted = admitted(spec, context, started).and_then(|context| {
            let deadline = context.deadline();
            // Nothing of what panics is looked at afterwards, which makes the assertion
            // true; so below.
            let future = catch_unwind(AssertUnwindSafe(|| run(context))).map_err(panicked)?;
            Ok((future, deadline))
        });
        let (future, deadline, refusal) = match admitted {
            Ok((future, deadline)) => (Some(future), deadline, None),
            Err(error) => (None, None, Some(error)),
        };
        Self { future, refusal, deadline, timer: None, span, spec, started, on_end }
    }
}

impl<T, Fut: Future<Output = Result<T, Error>>> Future for Call<Fut> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let _entered = this.span.enter();
        let outcome = match this.future.as_mut().as_pin_mut() {
            Some(future) => ready!(poll_in_time(future, *this.deadline, this.timer, cx)),
            None => Err(this.refusal.take().unwrap_or_else(deadline_exceeded)),
        };
        this.future.set(None);
        (this.on_end)(this.spec, outcome.as_ref().map(|_| ()), *this.started);
        Poll::Ready(outcome)
    }
}

/// Polls until the deadline. The timer has no part in the task's budget: a future that
/// spends all of it must not live for ever.
fn poll_in_time<T>(
    future: Pin<&mut impl Future<Output = Result<T, Error>>>,
    deadline: Option<Instant>,
    timer: &mut Option<Pin<Box<Unconstrained<Sleep>>>>,
    cx: &mut task::Context<'_>,
) -> Poll<Result<T, Error>> {
    let polled = catch_unwind(AssertUnwindSafe(|| future.poll(cx)));
    if let Poll::Ready(outcome) = polled.unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic)))) {
        return Poll::Ready(outcome);
    }
    let Some(deadline) = deadline else { return Poll::Pending };
    let timer = timer
        .get_or_insert_with(|| Box::pin(unconstrained(tokio::time::sleep_until(deadline.into()))));
    timer.as_mut().poll(cx).map(|()| Err(deadline_exceeded()))
}

/// The context that the handler of an admitted caller sees.
fn admitted(spec: &MethodSpec, context: &Context, now: Instant) -> Result<Context, Error> {
    admit(spec, context)?;
    let context = context.clone().with_deadline_from(now, spec.deadline).received();
    if context.deadline().is_some_and(|deadline| deadline <= now) {
        return Err(deadline_exceeded());
    }
    Ok(context)
}

/// Writes down how a call ended. Neither its messages nor anything of them goes into
/// the log, so that a field which must not be shown cannot be.
fn record(
    spec: &'static MethodSpec,
    outcome: Result<(), &Error>,
    messages: Option<u64>,
    started: Instant,
) {
    let elapsed = started.elapsed();
    let elapsed_ms = || u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    durations::call_served(spec.full_method(), code_of(outcome), elapsed);
    match outcome {
        // A span without a code is of a call that succeeded.
        Ok(()) => tracing::debug!(elapsed_ms = elapsed_ms(), messages, "call answered"),
        Err(error) => {
            Span::current().record("rpc.status_code", error.code().as_str());
            let error_text = error.chain();
            if error.code().is_server_fault() {
                tracing::error!(
                    elapsed_ms = elapsed_ms(),
                    messages,
                    error = error_text,
                    "call failed"
                );
            } else {
                tracing::debug!(
                    elapsed_ms = elapsed_ms(),
                    messages,
                    error = error_text,
                    "call refused"
                );
            }
        }
    }
}

/// The code of an outcome, as text.
pub(crate) fn code_of(outcome: Result<(), &Error>) -> &'static str {
    outcome.map_or_else(|error| error.code().as_str(), |()| "OK")
}

pub(crate) fn deadline_exceeded() -> Error {
    Error::new(Code::DeadlineExceeded, "the deadline passed before an answer")
}

fn panicked(panic: Box<dyn Any + Send>) -> Error {
    Error::internal(panic_text(&*panic))
}

/// What a panic said, for our own log.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("panicked: {text}")
}
