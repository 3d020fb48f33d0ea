//! What every call goes through, whichever door it came by.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt;
use tracing::{Instrument, Span, field};
use treaty_error::{Code, Error};

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
pub async fn admit_and_run<T, F, Fut>(
    spec: &'static MethodSpec,
    context: &Context,
    run: F,
) -> Result<T, Error>
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let span = span(spec, context);
    let started = Instant::now();
    async move {
        let result = admitted(spec, context, run).await;
        record(result.as_ref().map(|_| ()), None, started);
        result
    }
    .instrument(span)
    .await
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
    let span = span(spec, context);
    let started = Instant::now();
    let deadline = context.clone().with_deadline(spec.deadline).deadline();
    let opening = async {
        let result = admitted(spec, context, run).await;
        if let Err(error) = &result {
            record(Err(error), None, started);
        }
        result
    };
    let stream = opening.instrument(span.clone()).await?;
    let on_end = |outcome: Result<(), &Error>, messages, started| {
        record(outcome, Some(messages), started);
    };
    Ok(Box::pin(Guarded::new(stream, deadline, span, started, on_end)))
}

fn span(spec: &MethodSpec, context: &Context) -> Span {
    tracing::info_span!(
        "rpc",
        rpc.method = spec.path.trim_start_matches('/'),
        rpc.status_code = field::Empty,
        caller = %context.caller(),
        request_id = context.request_id(),
        traceparent = context.traceparent(),
    )
}

/// Admits the caller, then runs until the deadline, and turns a panic into a
/// failure.
async fn admitted<T, F, Fut>(spec: &MethodSpec, context: &Context, run: F) -> Result<T, Error>
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    admit(spec, context)?;
    let context = context.clone().with_deadline(spec.deadline).received();
    let deadline = context.deadline();
    if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
        return Err(deadline_exceeded());
    }
    // The call of `run` itself may panic as well as its future, so both stand
    // inside. Nothing of theirs is looked at afterwards, which makes the
    // assertion true.
    let contained = AssertUnwindSafe(async move { run(context).await }).catch_unwind();
    let outcome = match deadline {
        Some(deadline) => match tokio::time::timeout_at(deadline.into(), contained).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => return Err(deadline_exceeded()),
        },
        None => contained.await,
    };
    outcome.unwrap_or_else(|panic| Err(Error::internal(panic_text(&*panic))))
}

/// Writes down how a call ended. Neither its messages nor anything of them goes into
/// the log, so that a field which must not be shown cannot be.
fn record(outcome: Result<(), &Error>, messages: Option<u64>, started: Instant) {
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(()) => {
            Span::current().record("rpc.status_code", "OK");
            tracing::debug!(elapsed_ms, messages, "call answered");
        }
        Err(error) => {
            Span::current().record("rpc.status_code", error.code().as_str());
            let error_text = error.chain();
            if error.code().is_server_fault() {
                tracing::error!(elapsed_ms, messages, error = error_text, "call failed");
            } else {
                tracing::debug!(elapsed_ms, messages, error = error_text, "call refused");
            }
        }
    }
}

pub(crate) fn deadline_exceeded() -> Error {
    Error::new(Code::DeadlineExceeded, "the deadline passed before an answer")
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
