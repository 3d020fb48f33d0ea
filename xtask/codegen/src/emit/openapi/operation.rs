//! One operation: a method of a service by one of its HTTP bindings.

use super::parameters::{field_body, is_http_body};
use super::path::Path;
use super::{Document, Object, Value, list, security};
use crate::emit::document::example::{Examples, Writer};
use crate::emit::document::schema::body_schema;
use crate::emit::document::{markdown, time};
use crate::model::{Access, Body, FieldType, Idempotency, Method, Route, Service};

impl<'a> Document<'a> {
    pub(super) fn operation(
        &mut self,
        service: &'a Service,
        method: &'a Method,
        number: usize,
        route: &'a Route,
        path: &Path,
    ) -> Object {
        let name = self.service_name(service).replace('.', "_");
        let again = if number == 0 { String::new() } else { format!("_{}", number + 1) };
        let parameters = self.parameters(method, route, path);
        let body = self.request_body(method, route);
        let callers = method.access.iter().find_map(|access| match access {
            Access::Callers(names) => Some(list(names)),
            _ => None,
        });
        let retry = method.retry.map(|retry| {
            Object::new()
                .with("maxAttempts", retry.max_attempts)
                .with("initialBackoff", time::json(retry.initial_backoff))
                .with("maxBackoff", time::json(retry.max_backoff))
                .with("multiplier", retry.multiplier)
        });
        let summary = markdown::summary(&method.comment);
        Object::new()
            .with("operationId", format!("{name}_{}{again}", method.name))
            .with("tags", list([self.service_name(service)]))
            .with("summary", if summary.is_empty() { method.name.clone() } else { summary })
            .with_text("description", description(method, route))
            .with_flag("deprecated", method.deprecated || service.deprecated)
            .with("security", security(method))
            .with_list("parameters", parameters)
            .with_some("requestBody", body)
            .with("responses", self.responses(method, route))
            .with("x-treaty-rpc", format!("{}/{}", service.full_name, method.name))
            .with("x-treaty-path", &route.path)
            .with("x-treaty-deadline", time::json(method.deadline))
            .with_some("x-treaty-callers", callers)
            .with_some("x-treaty-idempotency", idempotency(method))
            .with_some("x-treaty-idempotency-key", method.idempotency_key.as_ref())
            .with_some("x-treaty-retry", retry)
    }

    fn request_body(&mut self, method: &'a Method, route: &'a Route) -> Option<Object> {
        let request = self.index.message(&method.input);
        let input = self.index.message_name(&method.input);
        let content = match (&route.body, request) {
            (Body::None, _) => return None,
            (Body::Whole, _) if is_http_body(&input) => raw(),
            (Body::Whole, None) => json(self.schemas.message(&method.input), None),
            (Body::Whole, Some(request)) => {
                let variables = route.template.variables.iter();
                let bound: Vec<&str> = variables
                    .filter_map(|variable| match variable.field.as_slice() {
                        [name] => Some(name.as_str()),
                        _ => None,
                    })
                    .collect();
                let example = Examples::new(self.index, Writer::Caller).body(request, &bound);
                let schema = if bound.is_empty() {
                    self.schemas.message(&method.input)
                } else {
                    body_schema(&mut self.schemas, request, &bound)
                };
                json(schema, example)
            }
            (Body::Field(name), request) => {
                let field = request?.fields.iter().find(|field| field.name == *name)?;
                match &field.ty {
                    FieldType::Message { full_name, .. } if is_http_body(full_name) => raw(),
                    _ => {
                        let example = Examples::new(self.index, Writer::Caller).field(field);
                        json(field_body(&mut self.schemas, field), example)
                    }
                }
            }
        };
        let streamed = method.client_streaming.then_some(
            "A stream of requests: one message a line (NDJSON). The schema is that of one message.",
        );
        let content = if method.client_streaming { renamed(content) } else { content };
        Some(
            Object::new()
                .with_some("description", streamed)
                .with("required", true)
                .with("content", content),
        )
    }
}

/// The media type of a stream instead of that of one message.
fn renamed(content: Object) -> Object {
    let media = content.iter().map(|(_, media)| media.clone());
    media.map(|media| (super::responses::NDJSON.to_owned(), media)).collect()
}

/// JSON of one schema, with an example.
pub(super) fn json(schema: Object, example: Option<Value>) -> Object {
    let media = Object::new().with("schema", schema).with_some("example", example);
    Object::new().with("application/json", media)
}

/// Bytes of any type, as they are.
pub(super) fn raw() -> Object {
    Object::new().with("*/*", Object::new())
}

fn idempotency(method: &Method) -> Option<&'static str> {
    match method.idempotency {
        Idempotency::Unknown => None,
        Idempotency::NoSideEffects => Some("NO_SIDE_EFFECTS"),
        Idempotency::Idempotent => Some("IDEMPOTENT"),
    }
}

/// The comment, and what OpenAPI has no words for.
fn description(method: &Method, route: &Route) -> String {
    let mut parts = vec![markdown::commonmark(&method.comment)];
    if route.template.variables.iter().any(|variable| variable.end - variable.start > 1) {
        parts.push(format!("The path is `{}` in the contract.", route.path));
    }
    if let Some(key) = &method.idempotency_key {
        parts.push(format!("Calls with the same `{key}` are one: repeat a call with its key."));
    }
    if method.page.is_some() {
        parts.push(
            "Answers page by page: send `nextPageToken` of an answer as `pageToken` for the next \
             page; it is empty after the last."
                .to_owned(),
        );
    }
    if method.server_streaming {
        parts.push(
            "Answers a stream: as one JSON array, or by `Accept` as lines \
             (`application/x-ndjson`) or server-sent events (`text/event-stream`)."
                .to_owned(),
        );
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
