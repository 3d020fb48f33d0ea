//! What all routes share: how a request becomes a call's context and message.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use treaty_error::{Code, Error, FieldViolation};
use treaty_json::{Fields, ReadOptions};
use treaty_rpc::{
    Authenticator, Caller, Context, admit, idempotency_key, request_id_or_new, traceparent,
};

use crate::headers::{AllowList, names, timeout};
use crate::payload::Input;
use crate::percent::Malformed;
use crate::read::{Arriving, Refusal, in_time, invalid, not_json};
use crate::{Body, BodyMode, Route, query};

/// How the gateway protects itself, and what it passes on.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Largest request body; a larger one is answered 413. A stream of requests may be
    /// as large in all.
    pub max_body_bytes: usize,
    /// Request headers that handlers see as metadata, and that a proxy passes on; a
    /// name that ends in `*` stands for all that begin so. A list, or a text with commas.
    #[serde(deserialize_with = "names")]
    pub metadata_headers: Vec<String>,
    /// Silence on an event stream after which a comment is sent, so that proxies on
    /// the way do not take it for dead; 0 for never.
    pub stream_keepalive_seconds: u64,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            max_body_bytes: 1024 * 1024,
            metadata_headers: Vec::new(),
            stream_keepalive_seconds: 15,
        }
    }
}

/// What all routes share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Shared>);

struct Shared {
    /// Who proves callers; without one they are proved by the server behind.
    authenticator: Option<Arc<Authenticator>>,
    metadata: AllowList,
    config: GatewayConfig,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway whose callers prove themselves to `authenticator`.
    #[must_use]
    pub fn new(config: &GatewayConfig, authenticator: Arc<Authenticator>) -> Self {
        Self::build(config, Some(authenticator))
    }

    /// A gateway in front of another server. It proves nobody: credentials, metadata
    /// and deadline are handed on by a channel that acts for the caller
    /// ([`treaty_rpc::ClientConfig::act_for_caller`]), and the server decides.
    #[must_use]
    pub fn forwarding(config: &GatewayConfig) -> Self {
        Self::build(config, None)
    }

    fn build(config: &GatewayConfig, authenticator: Option<Arc<Authenticator>>) -> Self {
        let metadata = AllowList::new(&config.metadata_headers);
        Self(Arc::new(Shared { authenticator, metadata, config: config.clone() }))
    }

    pub(crate) fn config(&self) -> &GatewayConfig {
        &self.0.config
    }

    /// The request's identifier, the caller's or a new one.
    pub(crate) fn request_id(headers: &HeaderMap) -> Arc<str> {
        request_id_or_new(text(headers, treaty_rpc::REQUEST_ID))
    }

    /// Whether the request's caller proves who it is. Behind a gateway that forwards, the server
    /// finds that out, too late for what the gateway tells of the request.
    pub(crate) fn knows_caller(&self, headers: &HeaderMap) -> bool {
        let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(authenticator) = &self.0.authenticator else { return false };
        authorization.is_some_and(|header| authenticator.authenticate(Some(header)).is_ok())
    }

    /// Proves and admits the caller before anything of the body is read.
    pub(crate) fn context(
        &self,
        route: &'static Route,
        parts: &Parts,
        request_id: &Arc<str>,
    ) -> Result<Context, Error> {
        let headers = &parts.headers;
        let authorization = headers.get(AUTHORIZATION);
        let mut context = Context::incoming(Caller::Anonymous, Arc::clone(request_id));
        match &self.0.authenticator {
            Some(authenticator) => {
                let authorization = authorization.map(|value| value.to_str().unwrap_or(""));
                context = context.with_caller(authenticator.authenticate(authorization)?);
                admit(route.spec, &context)?;
            }
            None => {
                if let Some(authorization) = authorization {
                    context = context.with_credentials(authorization.clone());
                }
            }
        }
        context = context.with_deadline(match timeout(headers)? {
            Some(timeout) => timeout.min(route.spec.deadline),
            None => route.spec.deadline,
        });
        context = context.arrived_with(traceparent(text(headers, treaty_rpc::TRACEPARENT)));
        if let Some(key) = idempotency_key(text(headers, treaty_rpc::IDEMPOTENCY_KEY)) {
            context = context.with_idempotency_key(key);
        }
        if let Some(metadata) = self.0.metadata.select(headers) {
            context = context.with_metadata(metadata);
        }
        Ok(context)
    }

    /// The bytes of a request's body.
    pub(crate) fn arriving(&self, parts: &Parts, body: Body) -> Result<Arriving, Refusal> {
        Arriving::new(&parts.headers, body, self.0.config.max_body_bytes)
    }

    /// The message of body, query and path; the path has the last word.
    pub(crate) async fn message<Q: Default>(
        &self,
        route: &'static Route,
        input: &Input<Q>,
        parts: &Parts,
        body: Body,
        context: &Context,
    ) -> Result<Q, Refusal> {
        let body = in_time(context, self.arriving(parts, body)?.whole()).await?;
        let kept = route.infers_mask.then(|| body.clone());
        let message = input.read(route.body, &parts.headers, body)?;
        bind(route, input, parts, message, kept)
    }

    /// The message of query and path.
    pub(crate) fn bodiless<Q: Default>(
        route: &'static Route,
        input: &Input<Q>,
        parts: &Parts,
    ) -> Result<Q, Refusal> {
        bind(route, input, parts, Q::default(), None)
    }
}

/// Adds query and path to what the body has said.
fn bind<Q: Default>(
    route: &'static Route,
    input: &Input<Q>,
    parts: &Parts,
    mut message: Q,
    body: Option<Bytes>,
) -> Result<Q, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    match input.fields {
        Some(fields) => {
            let fields = fields(&mut message);
            bind_query(route, query, fields, input)?;
            if let (BodyMode::Field(name), Some(body)) = (route.body, &body) {
                infer_mask(fields, name, body, query)?;
            }
            bind_path(route, parts.uri.path(), fields)?;
        }
        None => refuse_query(query)?,
    }
    Ok(message)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn not_text(what: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("the {what} is not percent-encoded UTF-8 text"))
}

/// Sets fields from the path.
fn bind_path(route: &Route, path: &str, message: &mut dyn Fields) -> Result<(), Error> {
    for variable in route.template.variables {
        let value = route.template.value(variable, path).map_err(|Malformed| not_text("path"))?;
        if !set(message, variable.field, &value)? {
            let text = format!("{}: no field `{}` to bind", route.template.text, variable.field);
            return Err(Error::internal(text));
        }
    }
    Ok(())
}

/// Sets fields from the query, each of them once unless it takes several.
fn bind_query<Q: Default>(
    route: &Route,
    query: &str,
    message: &mut dyn Fields,
    input: &Input<Q>,
) -> Result<(), Error> {
    let mut seen: Vec<query::Pair<'_>> = Vec::new();
    for pair in query::pairs(query) {
        let (name, value) = pair.map_err(|Malformed| not_text("query"))?;
        let refuse = |what: &str| Err(Error::invalid_field(&*name, what));
        match route.body {
            BodyMode::Whole => return refuse("belongs into the body, not the query"),
            BodyMode::Field(body) if query::covers(body, &name) => {
                return refuse("belongs into the body, not the query");
            }
            _ => {}
        }
        let mut variables = route.template.variables.iter();
        if variables.any(|variable| query::covers(variable.field, &name)) {
            return refuse("is part of the path, not the query");
        }
        let again = seen.iter().any(|(known, _)| query::same(known, &name));
        if again && !input.takes_list(&name) {
            return refuse("is given twice");
        }
        if !set(message, &name, &value)? {
            return refuse("is no parameter of this method");
        }
        seen.push((name, value));
    }
    Ok(())
}

fn refuse_query(query: &str) -> Result<(), Error> {
    match query::pairs(query).next() {
        None => Ok(()),
        Some(Err(Malformed)) => Err(not_text("query")),
        Some(Ok((name, _))) => Err(Error::invalid_field(name, "is no parameter of this method")),
    }
}

/// Sets one field from a text; false when there is no such field.
fn set(message: &mut dyn Fields, path: &str, value: &str) -> Result<bool, Error> {
    treaty_json::read_text(message, path, value, &ReadOptions::DEFAULT).map_err(|error| {
        let description = format!("invalid value `{value}`: {}", error.description());
        invalid(FieldViolation::new(path, description))
    })
}

/// The field by which AIP-134 says what a `PATCH` changes.
const UPDATE_MASK: &str = "update_mask";

/// A `PATCH` without `update_mask` changes what its body has.
fn infer_mask(
    message: &mut dyn Fields,
    body_field: &str,
    body: &[u8],
    query: &str,
) -> Result<(), Error> {
    let is_mask = |pair: &query::Pair<'_>| query::same(&pair.0, UPDATE_MASK);
    if body.is_empty() || query::pairs(query).flatten().any(|pair| is_mask(&pair)) {
        return Ok(());
    }
    let mask = treaty_json::mask_of(message, body_field, body, &ReadOptions::DEFAULT);
    set(message, UPDATE_MASK, &mask.map_err(not_json)?).map(drop)
}

/// Answers whose status says more than their code.
pub(crate) fn status_of(code: Code) -> StatusCode {
    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
