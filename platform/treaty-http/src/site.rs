//! All routes together, answering requests.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures::FutureExt;
use futures::future::{BoxFuture, CatchUnwind};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, Response};
use tower::Service;
use treaty_error::Error;

use crate::matcher::{Found, Matcher};
use crate::metrics::{Metrics, RouteStats};
use crate::mount::Endpoint;
use crate::respond::{failure, not_allowed, not_found, other_methods};
use crate::{Body, Route};

/// Routes of one or several services.
#[derive(Default)]
pub struct Routes {
    endpoints: Vec<Arc<dyn Endpoint>>,
}

impl Routes {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn push(&mut self, endpoint: Arc<dyn Endpoint>) {
        self.endpoints.push(endpoint);
    }

    /// These and others.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.endpoints.extend(other.endpoints);
        self
    }

    /// What the contracts say of each.
    pub fn iter(&self) -> impl Iterator<Item = &'static Route> {
        self.endpoints.iter().map(|endpoint| endpoint.route())
    }

    /// Makes them answer; what no route has the path of is not found.
    #[must_use]
    pub fn site(self) -> Site {
        self.build(None)
    }

    /// Makes them answer; what no route has the path of is for `others`.
    #[must_use]
    pub fn with(self, others: axum::Router) -> Site {
        let others = others
            .fallback(async || not_found().map(axum::body::Body::from))
            .method_not_allowed_fallback(async || not_allowed().map(axum::body::Body::from));
        self.build(Some(others))
    }

    fn build(self, others: Option<axum::Router>) -> Site {
        let mut matcher = Matcher::default();
        let mut stats = Vec::with_capacity(self.endpoints.len());
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let route = endpoint.route();
            matcher.add(&route.template, route.verb, index);
            stats.push(Arc::new(RouteStats::new(route)));
        }
        let metrics = Metrics::new(stats);
        Site(Arc::new(Inner { matcher, endpoints: self.endpoints, others, metrics }))
    }
}

/// Everything that an HTTP server answers. Cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    matcher: Matcher,
    endpoints: Vec<Arc<dyn Endpoint>>,
    others: Option<axum::Router>,
    metrics: Metrics,
}

/// An answer on its way.
pub struct Answer {
    running: CatchUnwind<AssertUnwindSafe<BoxFuture<'static, Response<Body>>>>,
    stats: Option<Arc<RouteStats>>,
    started: Instant,
    is_head: bool,
}

impl Future for Answer {
    type Output = Response<Body>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        let outcome = ready!(self.running.poll_unpin(cx));
        let mut response = outcome.unwrap_or_else(|panic| panicked(&*panic));
        if let Some(stats) = &self.stats {
            stats.record(response.status(), self.started.elapsed());
        }
        if self.is_head {
            without_body(&mut response);
        }
        Poll::Ready(response)
    }
}

impl Site {
    /// What has been answered so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.metrics.clone()
    }

    /// Answers a request. Whatever goes wrong, a panic included, is an answer.
    pub fn respond(&self, request: Request<Body>) -> Answer {
        let is_head = *request.method() == Method::HEAD;
        let started = Instant::now();
        // Nothing of the request's is looked at after a panic, which makes the assertions
        // true.
        let dispatched = catch_unwind(AssertUnwindSafe(|| self.dispatch(request)));
        let (running, stats) = dispatched
            .unwrap_or_else(|panic| (std::future::ready(panicked(&*panic)).boxed(), None));
        let running = AssertUnwindSafe(running).catch_unwind();
        Answer { running, stats, started, is_head }
    }

    fn dispatch(
        &self,
        request: Request<Body>,
    ) -> (BoxFuture<'static, Response<Body>>, Option<Arc<RouteStats>>) {
        let ready = |response| (std::future::ready(response).boxed(), None);
        match self.0.matcher.find(request.uri().path(), request.method()) {
            Found::Route(index) => match self.0.endpoints.get(index) {
                Some(endpoint) => {
                    let stats = self.0.metrics.of(index);
                    (Arc::clone(endpoint).call(request), stats)
                }
                None => ready(not_found()),
            },
            Found::OtherMethods(methods) => {
                let is_options = *request.method() == Method::OPTIONS;
                ready(other_methods(is_options, &allow(methods)))
            }
            Found::Nothing => match self.0.others.clone() {
                Some(others) => (elsewhere(others, request).boxed(), None),
                None => ready(not_found()),
            },
        }
    }
}

/// The value of `Allow`.
fn allow(mut methods: std::collections::BTreeSet<&'static str>) -> HeaderValue {
    if methods.contains("GET") {
        methods.insert("HEAD");
    }
    methods.insert("OPTIONS");
    let methods: Vec<_> = methods.into_iter().collect();
    HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

async fn elsewhere(mut others: axum::Router, request: Request<Body>) -> Response<Body> {
    let request = request.map(axum::body::Body::from);
    match Service::call(&mut others, request).await {
        Ok(response) => response.map(Body::from),
        Err(never) => match never {},
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Response<Body> {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let error = Error::internal(format!("panicked: {text}"));
    tracing::error!(error = error.chain(), "a route panicked");
    failure(&error)
}

/// An answer to `HEAD` has the headers alone (RFC 9110, section 9.3.2).
fn without_body(response: &mut Response<Body>) {
    let length = response.body().known_length();
    *response.body_mut() = Body::empty();
    if let Some(length) = length.filter(|length| *length > 0) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

impl Service<Request<axum::body::Body>> for Site {
    type Response = Response<axum::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<axum::body::Body>) -> Self::Future {
        let answer = self.respond(request.map(Body::from));
        Box::pin(async move { Ok(answer.await.map(axum::body::Body::from)) })
    }
}
