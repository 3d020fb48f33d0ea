//! Outcomes as HTTP responses.

use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use treaty_error::{Code, Error};

use crate::gateway::status_of;
use crate::payload::{Output, Written};
use crate::read::Refusal;
use crate::{Body, HttpBody, Route, status_json};

const REQUEST_ID: HeaderName = HeaderName::from_static(treaty_rpc::REQUEST_ID);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with the contract's status of success.
///
/// A message that cannot be written is our fault: it is logged here and answered as
/// an internal error.
pub(crate) fn success<R>(route: &Route, output: &Output<R>, message: R) -> Response<Body> {
    let status = StatusCode::from_u16(route.success).unwrap_or(StatusCode::OK);
    if status == StatusCode::NO_CONTENT {
        return respond(status, Body::empty(), None);
    }
    match output.write(message) {
        Ok(Written::Json(json)) => respond(status, json.into(), Some(JSON)),
        Ok(Written::Raw(body)) => raw(status, body),
        Err(error) => {
            tracing::error!(error = error.chain(), "the answer cannot be written as JSON");
            failure(&error)
        }
    }
}

fn raw(status: StatusCode, body: HttpBody) -> Response<Body> {
    respond(status, body.data.into(), Some(media_type(&body.content_type)))
}

/// The type of a raw body; one that cannot stand in a header is no type at all.
pub(crate) fn media_type(content_type: &str) -> HeaderValue {
    match HeaderValue::from_str(content_type) {
        Ok(value) if !value.is_empty() => value,
        _ => HeaderValue::from_static("application/octet-stream"),
    }
}

/// A failure: its HTTP status and the JSON of `google.rpc.Status`.
#[must_use]
pub fn failure(error: &Error) -> Response<Body> {
    failure_as(error, status_of(error.code()))
}

/// A failure with a more precise HTTP status than its code has.
pub(crate) fn failure_as(error: &Error, status: StatusCode) -> Response<Body> {
    let mut response = respond(status, status_json(error).into(), Some(JSON));
    let headers = response.headers_mut();
    if let Some(wait) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if error.code() == Code::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Answers a request that never reached the handler, which is why its log line is
/// written here.
pub(crate) fn refused(route: &Route, request_id: &str, refusal: &Refusal) -> Response<Body> {
    let error = &refusal.error;
    let rpc_method = route.spec.path.trim_start_matches('/');
    if error.code().is_server_fault() {
        tracing::error!(rpc.method = rpc_method, request_id, error = error.chain(), "call failed");
    } else {
        tracing::debug!(rpc.method = rpc_method, request_id, error = error.chain(), "call refused");
    }
    match refusal.status {
        Some(status) => failure_as(error, status),
        None => failure(error),
    }
}

/// No route has the path.
pub(crate) fn not_found() -> Response<Body> {
    failure(&Error::new(Code::NotFound, "no such path"))
}

/// The path does not take the method.
pub(crate) fn not_allowed() -> Response<Body> {
    let error = Error::new(Code::Unimplemented, "the path does not take this method");
    failure_as(&error, StatusCode::METHOD_NOT_ALLOWED)
}

/// The path takes other methods (RFC 9110, sections 15.5.6 and 9.3.7).
pub(crate) fn other_methods(is_options: bool, allowed: &HeaderValue) -> Response<Body> {
    let mut response = match is_options {
        true => respond(StatusCode::NO_CONTENT, Body::empty(), None),
        false => not_allowed(),
    };
    response.headers_mut().insert(ALLOW, allowed.clone());
    response
}

pub(crate) fn respond(
    status: StatusCode,
    body: Body,
    content_type: Option<HeaderValue>,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

/// Rounded up, so that a client which obeys does not come too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Repeats the request id to the caller.
pub(crate) fn with_request_id(mut response: Response<Body>, request_id: &str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
