//! What every call goes through, whichever door it came by.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt;
use tracing::{Instrument, Span, field};
use treaty_error::{Code, Error};

use crate::{Context, MethodSpec, admit};

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
    let span = tracing::info_span!(
        "rpc",
        rpc.method = spec.path.trim_start_matches('/'),
        rpc.status_code = field::Empty,
        caller = %context.caller(),
        request_id = context.request_id(),
        traceparent = context.traceparent(),
    );
    let started = Instant::now();
    async move {
        let result = match admit(spec, context) {
            Ok(()) => bounded(context.clone().with_deadline(spec.deadline), run).await,
            Err(error) => Err(error),
        };
        record(&result, started);
        result
    }
    .instrument(span)
    .await
}

/// Runs until the deadline, and turns a panic into a failure.
async fn bounded<T, F, Fut>(context: Context, run: F) -> Result<T, Error>
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
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

fn record<T>(result: &Result<T, Error>, started: Instant) {
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(_) => {
            Span::current().record("rpc.status_code", "OK");
            tracing::debug!(elapsed_ms, "call answered");
        }
        Err(error) => {
            Span::current().record("rpc.status_code", error.code().as_str());
            if error.code().is_server_fault() {
                tracing::error!(elapsed_ms, error = error.chain(), "call failed");
            } else {
                tracing::debug!(elapsed_ms, error = error.chain(), "call refused");
            }
        }
    }
}

pub(crate) fn deadline_exceeded() -> Error {
    Error::new(Code::DeadlineExceeded, "the deadline passed before an answer")
}

/// What a panic said, for our own log.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("panicked: {text}")
}
