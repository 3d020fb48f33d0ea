//! What a fault does to an answer.

use std::io;
use std::time::Duration;

use axum::body::{self, Body};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::value::RawValue;

const MAX_BODY: usize = 64 * 1024 * 1024;

/// Splits an answer into its head and its body.
async fn take_apart(response: Response) -> (axum::http::response::Parts, Bytes) {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    // Bodies here are made in memory and cannot fail to be read.
    (parts, body::to_bytes(body, MAX_BODY).await.unwrap_or_default())
}

/// A whole body whose JSON stops in the middle.
pub(super) async fn malform(response: Response) -> Response {
    let (mut parts, whole) = take_apart(response).await;
    let half = whole.slice(..whole.len() / 2);
    let body = if half.is_empty() { Bytes::from_static(b"{") } else { half };
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    Response::from_parts(parts, Body::from(body))
}

/// Half a body, and then the connection is closed.
pub(super) async fn truncate(response: Response) -> Response {
    let (mut parts, whole) = take_apart(response).await;
    // One byte more than there is, so that even an empty answer ends too early.
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len() + 1));
    let half = stream::once(async move { Ok(whole.slice(..whole.len() / 2)) });
    let cut = stream::once(async {
        // While the body waits, the server sends what it has; cut at once, nothing would leave.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    Response::from_parts(parts, Body::from_stream(half.chain(cut)))
}

/// The head at once, then a byte at a time.
pub(super) async fn drip(response: Response, pause: Duration) -> Response {
    let (mut parts, whole) = take_apart(response).await;
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let bytes = stream::iter(0..whole.len()).then(move |place| {
        let byte = whole.slice(place..=place);
        async move {
            tokio::time::sleep(pause).await;
            Ok::<_, io::Error>(byte)
        }
    });
    Response::from_parts(parts, Body::from_stream(bytes))
}

/// The same list in another order; what is no list stays as it is.
pub(super) async fn reorder(
    response: Response,
    order: impl FnOnce(&mut [Box<RawValue>]),
) -> Response {
    let (parts, whole) = take_apart(response).await;
    let Ok(mut listed) = serde_json::from_slice::<Vec<Box<RawValue>>>(&whole) else {
        return Response::from_parts(parts, Body::from(whole));
    };
    order(&mut listed);
    let body = serde_json::to_vec(&listed).map_or(whole, Bytes::from);
    Response::from_parts(parts, Body::from(body))
}
