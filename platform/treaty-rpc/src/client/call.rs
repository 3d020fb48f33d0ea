//! One unary call that leaves.

use std::time::Instant;

use tonic::{Request, Response, Status};
use tracing::{Instrument, Span, field};
use treaty_error::Error;
use treaty_telemetry::durations;

use super::attempts::Attempts;
use super::channel::Channel;
use crate::run::code_of;
use crate::{Context, MethodSpec};

/// Makes one unary call: adds our token, the deadline and the identifiers, repeats it
/// as the contract allows, and turns whatever comes back into an error of ours.
///
/// The answer is awaited for as long as the context allows, the method's deadline
/// at most, repeats included. `send` hands one attempt to tonic's generated client.
///
/// # Errors
/// The server's own, `UNAVAILABLE` when it cannot be reached, `DEADLINE_EXCEEDED`
/// when time ran out.
pub async fn call<Q, R, F, Fut>(
    spec: &'static MethodSpec,
    channel: &Channel,
    context: &Context,
    request: Q,
    send: F,
) -> Result<R, Error>
where
    Q: Clone,
    F: Fn(Request<Q>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let started = Instant::now();
    async move {
        let result = match Attempts::begin(spec, channel, context) {
            Ok(attempts) => attempts.repeated(request, send).await,
            Err(error) => Err(error),
        };
        record(spec, result.as_ref().map(|_| ()), started);
        result
    }
    .instrument(span(spec, context))
    .await
}

pub(super) fn span(spec: &MethodSpec, context: &Context) -> Span {
    tracing::info_span!(
        "rpc.client",
        otel.kind = "client",
        otel.name = spec.full_method(),
        otel.status_code = field::Empty,
        rpc.method = spec.full_method(),
        rpc.status_code = field::Empty,
        rpc.attempts = field::Empty,
        request_id = context.request_id(),
    )
}

/// Notes in the current span how a call ended. Whoever called logs a failure, for only
/// there it is known what it means.
pub(super) fn record(spec: &'static MethodSpec, outcome: Result<(), &Error>, started: Instant) {
    let code = code_of(outcome);
    let span = Span::current();
    span.record("rpc.status_code", code);
    if outcome.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    durations::call_made(spec.full_method(), code, started.elapsed());
}
