//! One request, from the wire to the in-process client and back.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::response::Response;
use axum::routing::{MethodRouter, on};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use treaty_error::{Code, Error};
use treaty_json::Json;
use treaty_rpc::{Authenticator, Context, admit, request_id_or_new, traceparent};

use crate::body::{self, Refusal};
use crate::respond::{failure, failure_as, success, with_request_id};
use crate::{Bind, BodyMode, Bound, Route, query};

/// How the gateway protects itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Largest request body; a larger one is answered 413.
    pub max_body_bytes: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self { max_body_bytes: 1024 * 1024 }
    }
}

/// What all routes share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    authenticator: Arc<Authenticator>,
    max_body_bytes: usize,
}

impl Gateway {
    /// A gateway whose callers prove themselves to `authenticator`.
    #[must_use]
    pub fn new(config: &GatewayConfig, authenticator: Arc<Authenticator>) -> Self {
        Self { authenticator, max_body_bytes: config.max_body_bytes }
    }

    /// The handler of one route, to be mounted at `route.path`:
    ///
    /// ```ignore
    /// axum::Router::new().route(
    ///     GET_ORDER.path,
    ///     gateway.unary(&GET_ORDER, bind_get_order, move |context, request| {
    ///         let local = Arc::clone(&local);
    ///         async move { local.get_order(&context, request).await }
    ///     }),
    /// )
    /// ```
    ///
    /// `bind` sets one field from a text; `call` is the in-process client, which
    /// admits the caller again, bounds the time and logs.
    pub fn unary<Q, R, F, Fut>(
        &self,
        route: &'static Route,
        bind: fn(&mut Q, &str, &str) -> Bind,
        call: F,
    ) -> MethodRouter
    where
        Q: Json + Send + 'static,
        R: Json + Send + 'static,
        F: Fn(Context, Q) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
    {
        let gateway = self.clone();
        on(route.verb.filter(), move |request: Request| async move {
            gateway.answer(route, request, bind, call).await
        })
    }

    async fn answer<Q, R, F, Fut>(
        &self,
        route: &'static Route,
        request: Request,
        bind: fn(&mut Q, &str, &str) -> Bind,
        call: F,
    ) -> Response
    where
        Q: Json,
        R: Json,
        F: FnOnce(Context, Q) -> Fut,
        Fut: Future<Output = Result<R, Error>>,
    {
        let (parts, body) = request.into_parts();
        let request_id = request_id_or_new(text(&parts.headers, treaty_rpc::REQUEST_ID));
        let context = Context::incoming(treaty_rpc::Caller::Anonymous, Arc::clone(&request_id));
        let decoded = match self.context(route, &parts, context) {
            Ok(context) => self
                .message(route, parts, body, bind, &context)
                .await
                .map(|message| (context, message)),
            Err(error) => Err(error.into()),
        };
        let response = match decoded {
            // The in-process client logs what is our fault, so nothing is logged here.
            Ok((context, message)) => match call(context, message).await {
                Ok(answer) => success(&answer),
                Err(error) => failure(&error),
            },
            Err(refusal) => refused(route, &request_id, &refusal),
        };
        with_request_id(response, &request_id)
    }

    /// Proves and admits the caller before anything of the body is read.
    fn context(&self, route: &Route, parts: &Parts, context: Context) -> Result<Context, Error> {
        let authorization =
            parts.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or(""));
        let mut context = context
            .with_caller(self.authenticator.authenticate(authorization)?)
            .with_deadline(route.spec.deadline);
        if let Some(traceparent) = traceparent(text(&parts.headers, treaty_rpc::TRACEPARENT)) {
            context = context.with_traceparent(traceparent);
        }
        admit(route.spec, &context)?;
        Ok(context)
    }

    /// The message of body, query and path; the path has the last word.
    async fn message<Q>(
        &self,
        route: &Route,
        mut parts: Parts,
        body: axum::body::Body,
        bind: fn(&mut Q, &str, &str) -> Bind,
        context: &Context,
    ) -> Result<Q, Refusal>
    where
        Q: Json,
    {
        let mut message = match route.body {
            BodyMode::None => Q::default(),
            BodyMode::Whole => {
                let reading = body::read(&parts.headers, body, self.max_body_bytes);
                body::decode(&parts.headers, &in_time(context, reading).await?)?
            }
        };
        let variables = variables(&mut parts).await?;
        bind_query(route, &parts, &variables, &mut message, bind)?;
        for (name, value) in &variables {
            match bind(&mut message, name, value) {
                Ok(Bound::Field) => {}
                Ok(Bound::Unknown) => {
                    let text = format!("{}: no field `{name}` to bind", route.path);
                    return Err(Error::internal(text).into());
                }
                Err(violation) => return Err(invalid(violation).into()),
            }
        }
        Ok(message)
    }
}

/// A caller that sends its body too slowly must not hold on to us for ever. The fault
/// is the caller's, unlike that of a deadline that passes while we work.
async fn in_time<T>(
    context: &Context,
    reading: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let Some(deadline) = context.deadline() else {
        return reading.await;
    };
    tokio::time::timeout_at(deadline.into(), reading).await.unwrap_or_else(|_elapsed| {
        Err(Refusal {
            error: Error::new(Code::Cancelled, "the body did not arrive in time"),
            status: Some(StatusCode::REQUEST_TIMEOUT),
        })
    })
}

async fn variables(parts: &mut Parts) -> Result<RawPathParams, Error> {
    let malformed =
        || Error::new(Code::InvalidArgument, "the path is not percent-encoded UTF-8 text");
    if !query::is_well_escaped(parts.uri.path()) {
        return Err(malformed());
    }
    RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|error| malformed().with_source(error))
}

fn bind_query<Q>(
    route: &Route,
    parts: &Parts,
    variables: &RawPathParams,
    message: &mut Q,
    bind: fn(&mut Q, &str, &str) -> Bind,
) -> Result<(), Error> {
    for pair in query::pairs(parts.uri.query().unwrap_or("")) {
        let (name, value) = pair?;
        if route.body == BodyMode::Whole {
            return Err(Error::invalid_field(name, "belongs into the body, not the query"));
        }
        if variables.iter().any(|(variable, _)| variable == name) {
            return Err(Error::invalid_field(name, "is part of the path, not the query"));
        }
        match bind(message, &name, &value) {
            Ok(Bound::Field) => {}
            Ok(Bound::Unknown) => {
                return Err(Error::invalid_field(name, "is no parameter of this method"));
            }
            Err(violation) => return Err(invalid(violation)),
        }
    }
    Ok(())
}

fn invalid(violation: treaty_error::FieldViolation) -> Error {
    Error::invalid_field(violation.field, violation.description)
}

/// Answers a request that never reached the in-process client, which is why its log
/// line is written here.
fn refused(route: &Route, request_id: &str, refusal: &Refusal) -> Response {
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

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
