//! What is measured and traced of requests.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tracing::{Span, field};
use treaty_telemetry::{context, durations};

use crate::Route;

/// Whose answer it is, of those with few names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answering {
    /// A route of the contracts.
    Route(&'static Route),
    /// What stands beside the contracts, such as health.
    Others,
    /// Nothing has this path or this method.
    Nobody,
}

impl Answering {
    fn method(self) -> &'static str {
        match self {
            Self::Route(route) => route.verb.as_str(),
            Self::Others | Self::Nobody => "_OTHER",
        }
    }

    fn route(self) -> &'static str {
        match self {
            Self::Route(route) => route.template.text,
            Self::Others => "others",
            Self::Nobody => "nobody",
        }
    }

    /// The span of a request of the contracts; none without traces. Path and query may hold
    /// what is nobody's business. The request goes on in the trace of a caller who is known;
    /// that of an unknown one is referred to.
    pub(crate) fn span(self, headers: &HeaderMap, is_known: impl FnOnce() -> bool) -> Span {
        let Self::Route(_) = self else { return Span::none() };
        if !context::is_on() {
            return Span::none();
        }
        let (method, route) = (self.method(), self.route());
        let span = tracing::info_span!(
            "http",
            otel.kind = "server",
            otel.name = format!("{method} {route}"),
            otel.status_code = field::Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = field::Empty,
        );
        let parent = headers.get(context::TRACEPARENT).and_then(|value| value.to_str().ok());
        match treaty_rpc::traceparent(parent) {
            Some(parent) if is_known() => context::continue_in(&span, Some(parent)),
            parent => context::caused_by(&span, parent),
        }
        span
    }

    /// Notes an answer; a stream counts when it begins.
    pub(crate) fn answered(self, span: &Span, status: StatusCode, took: Duration) {
        durations::request_served(self.method(), self.route(), status.as_u16(), took);
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }
}
