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
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use tower::Service;
use tracing::Span;
use treaty_error::Error;

use crate::matcher::{Found, Matcher};
use crate::mount::Endpoint;
use crate::observe::Answering;
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
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let route = endpoint.route();
            matcher.add(&route.template, route.verb, index);
        }
        Site(Arc::new(Inner { matcher, endpoints: self.endpoints, others }))
    }
}

/// Everything that an HTTP server answers. Cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    matcher: Matcher,
    endpoints: Vec<Arc<dyn Endpoint>>,
    others: Option<axum::Router>,
}

/// An answer on its way.
pub struct Answer {
    running: CatchUnwind<AssertUnwindSafe<BoxFuture<'static, Response<Body>>>>,
    answering: Answering,
    span: Span,
    started: Instant,
    is_head: bool,
}

impl Future for Answer {
    type Output = Response<Body>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        let this = &mut *self;
        let _entered = this.span.enter();
        let outcome = ready!(this.running.poll_unpin(cx));
        let mut response = outcome.unwrap_or_else(|panic| panicked(&*panic));
        this.answering.answered(&this.span, response.status(), this.started.elapsed());
        if this.is_head {
            without_body(&mut response);
        }
        Poll::Ready(response)
    }
}

impl Site {
    /// Answers a request. Whatever goes wrong, a panic included, is an answer.
    pub fn respond(&self, request: Request<Body>) -> Answer {
        let is_head = *request.method() == Method::HEAD;
        let started = Instant::now();
        // Nothing of the request's is looked at after a panic, which makes the assertions
        // true.
        let found = catch_unwind(AssertUnwindSafe(|| self.find(&request)));
        let (answering, found) =
            found.unwrap_or_else(|panic| (Answering::Nobody, Target::Refusal(panicked(&*panic))));
        let span = answering.span(request.headers(), || found.knows_caller(request.headers()));
        let dispatched = catch_unwind(AssertUnwindSafe(|| span.in_scope(|| found.answer(request))));
        let running =
            dispatched.unwrap_or_else(|panic| std::future::ready(panicked(&*panic)).boxed());
        let running = AssertUnwindSafe(running).catch_unwind();
        Answer { running, answering, span, started, is_head }
    }

    fn find(&self, request: &Request<Body>) -> (Answering, Target) {
        match self.0.matcher.find(request.uri().path(), request.method()) {
            Found::Route(index) => match self.0.endpoints.get(index) {
                Some(endpoint) => {
                    (Answering::Route(endpoint.route()), Target::Endpoint(Arc::clone(endpoint)))
                }
                None => (Answering::Nobody, Target::Refusal(not_found())),
            },
            Found::OtherMethods(methods) => {
                let is_options = *request.method() == Method::OPTIONS;
                let refusal = other_methods(is_options, &allow(methods));
                (Answering::Nobody, Target::Refusal(refusal))
            }
            Found::Nothing => match self.0.others.clone() {
                Some(others) => (Answering::Others, Target::Others(others)),
                None => (Answering::Nobody, Target::Refusal(not_found())),
            },
        }
    }
}

/// What a request is for.
enum Target {
    Endpoint(Arc<dyn Endpoint>),
    Others(axum::Router),
    Refusal(Response<Body>),
}

impl Target {
    fn knows_caller(&self, headers: &HeaderMap) -> bool {
        matches!(self, Self::Endpoint(endpoint) if endpoint.knows_caller(headers))
    }

    fn answer(self, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        match self {
            Self::Endpoint(endpoint) => endpoint.call(request),
            Self::Others(others) => elsewhere(others, request).boxed(),
            Self::Refusal(response) => std::future::ready(response).boxed(),
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
