//! One unary call that leaves.

use tonic::{Request, Response, Status};
use tracing::{Instrument, Span, field};
use treaty_error::Error;

use super::attempts::Attempts;
use super::channel::Channel;
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
    async move {
        let result = match Attempts::begin(spec, channel, context) {
            Ok(attempts) => attempts.repeated(request, send).await,
            Err(error) => Err(error),
        };
        record(result.as_ref().map(|_| ()));
        result
    }
    .instrument(span(spec, context))
    .await
}

pub(super) fn span(spec: &MethodSpec, context: &Context) -> Span {
    tracing::info_span!(
        "rpc.client",
        rpc.method = spec.path.trim_start_matches('/'),
        rpc.status_code = field::Empty,
        rpc.attempts = field::Empty,
        request_id = context.request_id(),
    )
}

/// Notes in the current span how a call ended. Whoever called logs a failure, for only
/// there it is known what it means.
pub(super) fn record(outcome: Result<(), &Error>) {
    let code = outcome.map_or_else(|error| error.code().as_str(), |()| "OK");
    Span::current().record("rpc.status_code", code);
}
