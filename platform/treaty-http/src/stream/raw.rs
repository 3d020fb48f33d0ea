//! A stream of `google.api.HttpBody`: their contents one after the other, of the type
//! that the first one says.

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use http::{Response, StatusCode};
use treaty_error::Error;
use treaty_rpc::MessageStream;

use crate::Body;
use crate::payload::{Output, Written};
use crate::respond::{failure, media_type, respond};

pub(super) async fn answer<R: Send + 'static>(
    status: StatusCode,
    output: Output<R>,
    mut messages: MessageStream<R>,
) -> Response<Body> {
    let (content_type, first) = match messages.next().await {
        Some(Ok(message)) => match output.write(message) {
            Ok(Written::Raw(body)) => (media_type(&body.content_type), body.data),
            Ok(Written::Json(json)) => (media_type("application/json"), json),
            Err(error) => return failure(&error),
        },
        Some(Err(error)) => return failure(&error),
        None => (media_type(""), Vec::new()),
    };
    let contents = futures::stream::once(std::future::ready(Ok(first)))
        .chain(contents(output, messages))
        // A body of any type has no place for a failure: it is cut off, which the caller
        // sees by the transfer coding.
        .inspect_err(|error| tracing::warn!(error = error.chain(), "a raw answer is cut off"))
        .map_ok(Bytes::from)
        .map_err(|error| axum::Error::new(CutOff(error.message().to_owned())));
    let body = axum::body::Body::from_stream(contents);
    respond(status, body.into(), Some(content_type))
}

fn contents<R: Send + 'static>(
    output: Output<R>,
    messages: MessageStream<R>,
) -> impl Stream<Item = Result<Vec<u8>, Error>> {
    messages.map(move |message| match output.write(message?)? {
        Written::Raw(body) => Ok(body.data),
        Written::Json(json) => Ok(json),
    })
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is cut off: {0}")]
struct CutOff(String);
