//! Routes with what answers them.

use std::marker::PhantomData;
use std::sync::Arc;

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use treaty_error::Error;
use treaty_rpc::{Context, MessageStream};

use crate::payload::{Input, Output};
use crate::read::Refusal;
use crate::respond::{failure, refused, success, with_request_id};
use crate::{Body, BodyMode, Gateway, Route, Routes, stream, upload};

/// Answers the requests of one route.
pub(crate) trait Endpoint: Send + Sync {
    fn route(&self) -> &'static Route;

    /// Whether the request's caller proves who it is.
    fn knows_caller(&self, headers: &HeaderMap) -> bool;

    fn call(self: Arc<Self>, request: Request<Body>) -> BoxFuture<'static, Response<Body>>;
}

/// Mounts the routes of one service. Generated code calls one function for each:
///
/// ```ignore
/// Mount::new(service, gateway)
///     .unary(&GET_ORDER_ROUTE, Input::message(), Output::message(), |service, context, request| {
///         async move { service.get_order(&context, request).await }
///     })
///     .routes()
/// ```
pub struct Mount<S: ?Sized> {
    service: Arc<S>,
    gateway: Gateway,
    routes: Routes,
}

/// One route of a service, by the kind of its calls.
struct Mounted<S: ?Sized, K, Q, R, F> {
    service: Arc<S>,
    gateway: Gateway,
    route: &'static Route,
    input: Input<Q>,
    output: Output<R>,
    call: F,
    kind: PhantomData<fn() -> K>,
}

struct Unary;
struct ServerStreaming;
struct ClientStreaming;
struct Bidirectional;

impl<S: ?Sized + Send + Sync + 'static> Mount<S> {
    /// Nothing yet.
    #[must_use]
    pub fn new(service: Arc<S>, gateway: &Gateway) -> Self {
        Self { service, gateway: gateway.clone(), routes: Routes::new() }
    }

    /// All that was mounted.
    #[must_use]
    pub fn routes(self) -> Routes {
        self.routes
    }

    fn add<K: 'static, Q: 'static, R: 'static, F: Send + Sync + 'static>(
        mut self,
        route: &'static Route,
        input: Input<Q>,
        output: Output<R>,
        call: F,
    ) -> Self
    where
        Mounted<S, K, Q, R, F>: Endpoint,
    {
        let (service, gateway) = (Arc::clone(&self.service), self.gateway.clone());
        let kind = PhantomData::<fn() -> K>;
        self.routes.push(Arc::new(Mounted { service, gateway, route, input, output, call, kind }));
        self
    }

    /// One request, one answer.
    #[must_use]
    pub fn unary<Q, R, F, Fut>(
        self,
        route: &'static Route,
        input: Input<Q>,
        output: Output<R>,
        call: F,
    ) -> Self
    where
        Q: Default + Send + 'static,
        R: Send + 'static,
        F: Fn(Arc<S>, Context, Q) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
    {
        self.add::<Unary, Q, R, F>(route, input, output, call)
    }

    /// One request, a stream of answers.
    #[must_use]
    pub fn server_streaming<Q, R, F, Fut>(
        self,
        route: &'static Route,
        input: Input<Q>,
        output: Output<R>,
        call: F,
    ) -> Self
    where
        Q: Default + Send + 'static,
        R: Send + 'static,
        F: Fn(Arc<S>, Context, Q) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<MessageStream<R>, Error>> + Send + 'static,
    {
        self.add::<ServerStreaming, Q, R, F>(route, input, output, call)
    }

    /// A stream of requests, one answer.
    #[must_use]
    pub fn client_streaming<Q, R, F, Fut>(
        self,
        route: &'static Route,
        input: Input<Q>,
        output: Output<R>,
        call: F,
    ) -> Self
    where
        Q: Default + Send + 'static,
        R: Send + 'static,
        F: Fn(Arc<S>, Context, MessageStream<Q>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
    {
        self.add::<ClientStreaming, Q, R, F>(route, input, output, call)
    }

    /// A stream each way.
    #[must_use]
    pub fn bidirectional<Q, R, F, Fut>(
        self,
        route: &'static Route,
        input: Input<Q>,
        output: Output<R>,
        call: F,
    ) -> Self
    where
        Q: Default + Send + 'static,
        R: Send + 'static,
        F: Fn(Arc<S>, Context, MessageStream<Q>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<MessageStream<R>, Error>> + Send + 'static,
    {
        self.add::<Bidirectional, Q, R, F>(route, input, output, call)
    }
}

/// A request's context and what it is for.
enum Read<Q> {
    /// All of it was at hand.
    Now(Context, Q),
    /// The body has to arrive.
    Later(BoxFuture<'static, Result<(Context, Q), Refusal>>),
}

impl<Q> Read<Q> {
    async fn all(self) -> Result<(Context, Q), Refusal> {
        match self {
            Self::Now(context, request) => Ok((context, request)),
            Self::Later(reading) => reading.await,
        }
    }
}

impl<S: ?Sized, K, Q: Default + Send + 'static, R, F> Mounted<S, K, Q, R, F> {
    /// The call's context and message. What needs no waiting is done at once: the future
    /// of a request then holds little, and every move of it copies little.
    fn single(&self, request_id: &Arc<str>, request: Request<Body>) -> Result<Read<Q>, Refusal> {
        let (parts, body) = request.into_parts();
        let context = self.gateway.context(self.route, &parts, request_id)?;
        let (route, input) = (self.route, self.input);
        if route.body == BodyMode::None {
            let message = Gateway::bodiless(route, &input, &parts)?;
            return Ok(Read::Now(context, message));
        }
        let gateway = self.gateway.clone();
        Ok(Read::Later(Box::pin(async move {
            let message = gateway.message(route, &input, &parts, body, &context).await?;
            Ok((context, message))
        })))
    }

    /// The call's context and its messages, which arrive while it runs.
    fn stream(
        &self,
        request_id: &Arc<str>,
        request: Request<Body>,
    ) -> Result<Read<MessageStream<Q>>, Refusal> {
        let (parts, body) = request.into_parts();
        let context = self.gateway.context(self.route, &parts, request_id)?;
        let arriving = self.gateway.arriving(&parts, body)?;
        Ok(Read::Now(context, upload::messages(self.input, parts.headers, arriving)?))
    }
}

/// Runs `answer` for a request that could be read, and repeats the request id.
macro_rules! endpoint {
    ($kind:ident, $request:ty, $answer:ty, $read:ident, $accept:expr, $write:ident) => {
        impl<S, Q, R, F, Fut> Endpoint for Mounted<S, $kind, Q, R, F>
        where
            S: ?Sized + Send + Sync + 'static,
            Q: Default + Send + 'static,
            R: Send + 'static,
            F: Fn(Arc<S>, Context, $request) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<$answer, Error>> + Send + 'static,
        {
            fn route(&self) -> &'static Route {
                self.route
            }

            fn knows_caller(&self, headers: &HeaderMap) -> bool {
                self.gateway.knows_caller(headers)
            }

            fn call(self: Arc<Self>, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
                let request_id = Gateway::request_id(request.headers());
                let accept = $accept(request.headers());
                let read = self.$read(&request_id, request);
                Box::pin(async move {
                    let read = match read {
                        Ok(read) => read.all().await,
                        Err(refusal) => Err(refusal),
                    };
                    let response = match read {
                        // The handler's side logs what is our fault, so nothing is
                        // logged here.
                        Ok((context, message)) => {
                            match (self.call)(Arc::clone(&self.service), context, message).await {
                                Ok(answer) => self.$write(accept, answer).await,
                                Err(error) => failure(&error),
                            }
                        }
                        Err(refusal) => refused(self.route, &request_id, &refusal),
                    };
                    with_request_id(response, &request_id)
                })
            }
        }
    };
}

impl<S: ?Sized, K, Q, R: Send + 'static, F> Mounted<S, K, Q, R, F> {
    async fn one(&self, (): (), answer: R) -> Response<Body> {
        success(self.route, &self.output, answer)
    }

    async fn many(&self, accept: stream::Format, answer: MessageStream<R>) -> Response<Body> {
        stream::answer(self.route, self.output, accept, answer, self.gateway.config()).await
    }
}

endpoint!(Unary, Q, R, single, |_| (), one);
endpoint!(ServerStreaming, Q, MessageStream<R>, single, stream::Format::of, many);
endpoint!(ClientStreaming, MessageStream<Q>, R, stream, |_| (), one);
endpoint!(Bidirectional, MessageStream<Q>, MessageStream<R>, stream, stream::Format::of, many);
