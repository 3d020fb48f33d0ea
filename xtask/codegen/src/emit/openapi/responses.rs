//! What an operation answers.

use super::operation::{json, raw};
use super::parameters::{field_body, is_http_body};
use super::{Document, Object, Value, is_public, list};
use crate::emit::document::example::{Examples, Writer};
use crate::model::{Body, FieldType, Method, Route};

/// One JSON value a line.
pub(super) const NDJSON: &str = "application/x-ndjson";
/// Server-sent events, each of which holds one JSON value.
pub(super) const EVENTS: &str = "text/event-stream";

impl<'a> Document<'a> {
    pub(super) fn responses(&mut self, method: &'a Method, route: &'a Route) -> Object {
        let success = self.success(method, route);
        let mut responses = Object::new().with(method.success_status.to_string(), success);
        let mut statuses = vec![400];
        if !is_public(method) {
            statuses.extend([401, 403]);
        }
        statuses.extend([404, 409]);
        if route.body != Body::None {
            statuses.extend([408, 413, 415]);
        }
        statuses.extend([429, 500, 501, 503, 504]);
        for status in statuses {
            self.failures.insert(status);
            let reference = format!("#/components/responses/{}", super::failures::name(status));
            responses.set(status.to_string(), Object::new().with("$ref", reference));
        }
        responses
    }

    fn success(&mut self, method: &'a Method, route: &'a Route) -> Object {
        let header = Object::new().with("$ref", "#/components/headers/RequestId");
        let response = Object::new()
            .with("description", success_description(method))
            .with("headers", Object::new().with("x-request-id", header));
        if method.success_status == 204 {
            return response;
        }
        response.with("content", self.content(method, route))
    }

    fn content(&mut self, method: &'a Method, route: &'a Route) -> Object {
        let output = self.index.message_name(&method.output);
        let field = route.response_body.as_ref().and_then(|name| {
            let message = self.index.message(&method.output)?;
            message.fields.iter().find(|field| field.name == *name)
        });
        let is_raw = match field.map(|field| &field.ty) {
            Some(FieldType::Message { full_name, .. }) => is_http_body(full_name),
            Some(_) => false,
            None => is_http_body(&output),
        };
        if is_raw {
            return raw();
        }
        let mut examples = Examples::new(self.index, Writer::Server);
        let (schema, example) = match field {
            Some(field) => (field_body(&mut self.schemas, field), examples.field(field)),
            None => (self.schemas.message(&method.output), examples.message(&method.output)),
        };
        if method.server_streaming { stream(&schema) } else { json(schema, example) }
    }
}

/// A stream in each of its forms. OpenAPI 3.1 knows no streams: of lines and events the
/// schema is that of one, which `x-treaty-stream` says.
fn stream(item: &Object) -> Object {
    let member = |name: &str, schema: Object| {
        Object::new()
            .with("type", "object")
            .with("required", list([name]))
            .with("properties", Object::new().with(name, schema))
    };
    let failure =
        || member("error", Object::new().with("$ref", "#/components/schemas/google.rpc.Status"));
    let items = Object::new().with("anyOf", list([item.clone(), failure()]));
    let array = Object::new().with("type", "array").with("items", items);
    let end = member("end", Object::new().with("type", "object"));
    let line = list([member("result", item.clone()), failure(), end]);
    let text = Object::new().with("type", "string").with("description", EVENTS_FORM);
    let media = |schema: Object, what: &str| {
        Object::new().with("schema", schema).with("x-treaty-stream", what)
    };
    Object::new()
        .with("application/json", media(array, "One array; a failure is its last element."))
        .with(NDJSON, media(Object::new().with("oneOf", line), "The schema is that of one line."))
        .with(EVENTS, media(text, "Server-sent events."))
}

/// What a stream of events consists of.
const EVENTS_FORM: &str = "\
Each message is an event whose data is its JSON. The last event is `end`, or `error` with a \
`google.rpc.Status`; without either the answer was cut off.";

fn success_description(method: &Method) -> &'static str {
    match method.success_status {
        201 => "Created.",
        202 => "Accepted: the work goes on.",
        204 => "Done; there is nothing to say.",
        _ => "Success.",
    }
}

/// Headers of answers.
pub(super) fn headers() -> Object {
    let text = Object::new().with("type", "string");
    let seconds = Object::new().with("type", "integer").with("minimum", 0);
    let header = |description: &str, schema: Object| {
        Object::new().with("description", description).with("schema", schema)
    };
    Object::new()
        .with("RequestId", header("Names the request in logs.", text.clone()))
        .with("RetryAfter", header("Seconds to wait before the call is repeated.", seconds))
        .with(
            "Authenticate",
            header("How to prove oneself.", text.with("examples", list([Value::from("Bearer")]))),
        )
}
