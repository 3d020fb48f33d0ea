//! Strava's error bodies: a message and a list of resource, field and code.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A refusal in the shape Strava gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: &'static str,
    detail: Detail,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Detail {
    resource: &'static str,
    field: &'static str,
    code: &'static str,
}

#[derive(Serialize)]
struct Body {
    message: &'static str,
    errors: [Detail; 1],
}

impl Refusal {
    const fn new(
        status: StatusCode,
        message: &'static str,
        [resource, field, code]: [&'static str; 3],
    ) -> Self {
        Self { status, message, detail: Detail { resource, field, code } }
    }

    /// A request that is wrong in one field.
    pub(crate) const fn bad_request(
        resource: &'static str,
        field: &'static str,
        code: &'static str,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad Request", [resource, field, code])
    }

    /// An access token that is missing, unknown, expired or revoked.
    pub(crate) const fn invalid_access_token() -> Self {
        Self::unauthorized("Athlete", "access_token", "invalid")
    }

    /// A client that does not know its own secret.
    pub(crate) const fn invalid_application() -> Self {
        Self::unauthorized("Application", "", "invalid")
    }

    /// A token without the permission that the resource needs.
    pub(crate) const fn missing_activity_scope() -> Self {
        Self::unauthorized("AccessToken", "activity:read_permission", "missing")
    }

    const fn unauthorized(resource: &'static str, field: &'static str, code: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Authorization Error", [resource, field, code])
    }

    /// Something that does not exist, or that the caller may not know to exist.
    pub(crate) const fn not_found(resource: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Record Not Found", [resource, "id", "invalid"])
    }

    /// A path that this Strava does not serve.
    pub(crate) const fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Record Not Found", ["resource", "path", "invalid"])
    }

    /// A spent quota; `field` says which. There is no Retry-After, as there is none at Strava.
    pub(crate) const fn rate_limited(field: &'static str) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Rate Limit Exceeded",
            ["Application", field, "exceeded"],
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Body { message: self.message, errors: [self.detail] };
        (self.status, Json(body)).into_response()
    }
}
