//! The documents that the generator makes, for people: the reference, OpenAPI and
//! AsyncAPI. For development; they tell everybody everything that the contracts say.

use std::path::Path;

use axum::Router;
use axum::response::{Redirect, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};
use tower_http::services::ServeDir;

/// What goes with every document: it loads and runs nothing but what lies beside it. The
/// service map, which is a picture of its own, brings its style with it.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    // A developer generates again and wants to see it.
    (CACHE_CONTROL, "no-cache"),
];

/// Serves `docs`, `openapi` and `asyncapi` of a directory that the generator has written,
/// under `/docs/`, `/openapi/` and `/asyncapi/`; nothing else of it.
pub fn documents(directory: &Path) -> Router {
    let files = ServeDir::new(directory);
    let mut router = Router::new()
        .route("/docs", get(async || Redirect::permanent("/docs/")))
        .route_service("/docs/", files.clone());
    for folder in ["docs", "openapi", "asyncapi"] {
        router = router.route_service(&format!("/{folder}/{{*path}}"), files.clone());
    }
    router.layer(axum::middleware::map_response(with_headers))
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
