//! Calls that arrive by gRPC.

use std::time::Duration;

use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Request, Response, Status, Streaming};
use treaty_error::Error;

use crate::stream::{incoming, outgoing};
use crate::{Authenticator, Context, MessageStream, StatusStream, headers, to_status};

/// Answers one unary call: proves the caller, reads the deadline and the
/// identifiers, runs the call, and turns its outcome into tonic's terms.
///
/// Admission, the method's own deadline and the log are the business of the
/// in-process client that `run` calls.
///
/// # Errors
/// The status of whatever failed.
pub async fn unary<Q, R, F, Fut>(
    authenticator: &Authenticator,
    request: Request<Q>,
    run: F,
) -> Result<Response<R>, Status>
where
    F: FnOnce(Context, Q) -> Fut,
    Fut: Future<Output = Result<R, Error>>,
{
    let metadata = request.metadata();
    let request_id = headers::request_id_or_new(text(metadata, headers::REQUEST_ID));
    let answer_id = AsciiMetadataValue::try_from(&*request_id).ok();
    let authorization = metadata.get("authorization").map(|value| value.to_str().unwrap_or(""));
    let result = match authenticator.authenticate(authorization) {
        Ok(caller) => {
            let traceparent = headers::traceparent(text(metadata, headers::TRACEPARENT));
            let mut context = Context::incoming(caller, request_id).arrived_with(traceparent);
            if let Some(key) = headers::idempotency_key(text(metadata, headers::IDEMPOTENCY_KEY)) {
                context = context.with_idempotency_key(key);
            }
            if let Some(passed) = headers::application_metadata(metadata.as_ref()) {
                context = context.with_metadata(passed);
            }
            if let Some(timeout) =
                text(metadata, headers::GRPC_TIMEOUT).and_then(headers::grpc_timeout)
            {
                context = context.with_deadline(ahead_of_transport(timeout));
            }
            run(context, request.into_inner()).await
        }
        Err(error) => {
            tracing::debug!(request_id = &*request_id, error = error.chain(), "call refused");
            Err(error)
        }
    };
    let mut result = result.map(Response::new).map_err(|error| to_status(&error));
    if let Some(id) = answer_id {
        let metadata = match &mut result {
            Ok(response) => response.metadata_mut(),
            Err(status) => status.metadata_mut(),
        };
        metadata.insert(headers::REQUEST_ID, id);
    }
    result
}

/// Answers a call of one request with a stream. A failure after the answer has begun
/// ends the stream, its status in the trailers.
///
/// # Errors
/// As [`unary`], before the answer has begun.
pub async fn server_streaming<Q, R, F, Fut>(
    authenticator: &Authenticator,
    request: Request<Q>,
    run: F,
) -> Result<Response<StatusStream<R>>, Status>
where
    R: 'static,
    F: FnOnce(Context, Q) -> Fut,
    Fut: Future<Output = Result<MessageStream<R>, Error>>,
{
    Ok(unary(authenticator, request, run).await?.map(outgoing))
}

/// Answers a call of a stream of requests with one message.
///
/// # Errors
/// As [`unary`].
pub async fn client_streaming<Q, R, F, Fut>(
    authenticator: &Authenticator,
    request: Request<Streaming<Q>>,
    run: F,
) -> Result<Response<R>, Status>
where
    Q: Send + 'static,
    F: FnOnce(Context, MessageStream<Q>) -> Fut,
    Fut: Future<Output = Result<R, Error>>,
{
    unary(authenticator, request.map(incoming), run).await
}

/// Answers a call of a stream of requests with a stream.
///
/// # Errors
/// As [`server_streaming`].
pub async fn bidi_streaming<Q, R, F, Fut>(
    authenticator: &Authenticator,
    request: Request<Streaming<Q>>,
    run: F,
) -> Result<Response<StatusStream<R>>, Status>
where
    Q: Send + 'static,
    R: 'static,
    F: FnOnce(Context, MessageStream<Q>) -> Fut,
    Fut: Future<Output = Result<MessageStream<R>, Error>>,
{
    server_streaming(authenticator, request.map(incoming), run).await
}

fn text<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name).and_then(|value| value.to_str().ok())
}

/// The transport watches the caller's timeout too, and answers CANCELLED, without
/// a line in the log. Being a little earlier, our deadline speaks first.
fn ahead_of_transport(timeout: Duration) -> Duration {
    timeout - (timeout / 4).min(Duration::from_millis(20))
}
