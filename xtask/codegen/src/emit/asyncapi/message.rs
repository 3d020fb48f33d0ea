//! Messages: payload and headers of an event.

use super::channel::template;
use crate::emit::document::example::{Examples, Writer};
use crate::emit::document::schema::Schemas;
use crate::emit::document::{Index, Object, Value, list, markdown};
use crate::model::{Event, Part};

/// Protobuf's binary form (RFC 6838 registration `application/protobuf`).
pub(super) const CONTENT_TYPE: &str = "application/protobuf";

/// The message of an event.
pub(super) fn message<'a>(
    index: &'a Index<'a>,
    schemas: &mut Schemas<'a>,
    event: &'a Event,
) -> Object {
    let payload = Examples::new(index, Writer::Caller).message(&event.rust);
    let example = payload.map(|payload| {
        let headers = example_headers(event, &payload);
        Object::new().with("name", "example").with("headers", headers).with("payload", payload)
    });
    let comment = markdown::commonmark(&event.comment);
    Object::new()
        .with("name", &event.full_name)
        .with("title", &event.name)
        .with_text("summary", markdown::summary(&event.comment))
        .with_text("description", comment)
        .with("contentType", CONTENT_TYPE)
        .with("headers", headers(event))
        .with("payload", schemas.message(&event.rust))
        .with_list("examples", example.into_iter().map(Value::from).collect())
        .with("x-treaty-message", &event.full_name)
        .with_text("x-treaty-message-id", template(&event.message_id))
}

fn headers(event: &Event) -> Object {
    let text =
        |description: String| Object::new().with("type", "string").with("description", description);
    let id = if event.message_id.is_empty() {
        "Names this publish; one is made for each.".to_owned()
    } else {
        format!(
            "What makes two messages the same: `{}`. The stream keeps one of them.",
            template(&event.message_id)
        )
    };
    let name = text("Full name of the message in the payload.".to_owned());
    let stream = text("The stream that the publisher means.".to_owned());
    let trace = text("W3C Trace Context of the publisher, where it is traced.".to_owned());
    let pattern = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$";
    let properties = Object::new()
        .with("Treaty-Event", name.with("const", &event.full_name))
        .with("Nats-Msg-Id", text(id).with("minLength", 1))
        .with("Nats-Expected-Stream", stream.with("const", &event.stream))
        .with("traceparent", trace.with("pattern", pattern));
    Object::new()
        .with("type", "object")
        .with("required", list(["Treaty-Event", "Nats-Msg-Id"]))
        .with("properties", properties)
}

fn example_headers(event: &Event, payload: &Value) -> Object {
    let value = |name: &str| match payload {
        Value::Object(object) => {
            object.iter().find(|(json, _)| json.eq_ignore_ascii_case(&name.replace('_', "")))
        }
        _ => None,
    };
    let parts = event.message_id.iter().map(|part| match part {
        Part::Literal(text) => text.clone(),
        Part::Field { name, .. } => match value(name) {
            Some((_, Value::Text(text))) => text.clone(),
            Some((_, other)) => other.compact(),
            None => String::new(),
        },
    });
    let id: String = parts.collect();
    let id = if id.is_empty() { "4f7a1c52-9d0e-4c8b-a3f6-2b8d5e90c714".to_owned() } else { id };
    Object::new()
        .with("Treaty-Event", &event.full_name)
        .with("Nats-Msg-Id", id)
        .with("Nats-Expected-Stream", &event.stream)
}
