//! Outcomes as HTTP responses.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use treaty_error::{Code, Error};
use treaty_json::Json;

use crate::status_json;

const REQUEST_ID: HeaderName = HeaderName::from_static(treaty_rpc::REQUEST_ID);

/// An answer: 200 and the message as JSON.
///
/// A message that cannot be written is our fault: it is logged here and answered
/// as an internal error.
pub fn success<R: Json>(message: &R) -> Response {
    match treaty_json::to_vec(message) {
        Ok(json) => respond(StatusCode::OK, json),
        Err(error) => {
            let error = Error::internal(error);
            tracing::error!(error = error.chain(), "the answer cannot be written as JSON");
            failure(&error)
        }
    }
}

/// A failure: its HTTP status and the JSON of `google.rpc.Status`.
#[must_use]
pub fn failure(error: &Error) -> Response {
    failure_as(error, http_status(error.code()))
}

/// A failure with a more precise HTTP status than its code has.
pub(crate) fn failure_as(error: &Error, status: StatusCode) -> Response {
    let mut response = respond(status, status_json(error));
    let headers = response.headers_mut();
    if let Some(wait) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if error.code() == Code::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn respond(status: StatusCode, json: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn http_status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Rounded up, so that a client which obeys does not come too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Repeats the request id to the caller.
pub(crate) fn with_request_id(mut response: Response, request_id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
