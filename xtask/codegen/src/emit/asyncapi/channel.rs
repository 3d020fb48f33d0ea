//! Channels: the subjects of an event, and the stream that keeps them.

use crate::emit::document::{Index, Object, list, markdown, time};
use crate::model::{Event, Field, Part, Stream};

/// The channel of an event.
pub(super) fn channel(index: &Index<'_>, event: &Event) -> Object {
    let message = format!("#/components/messages/{}", event.full_name);
    let messages = Object::new().with(event.full_name.clone(), Object::new().with("$ref", message));
    let fields = event.subject.iter().filter_map(|part| match part {
        Part::Field { name, .. } => Some(name),
        Part::Literal(_) => None,
    });
    let parameters: Object =
        fields.map(|name| (name.clone(), parameter(index, event, name).into())).collect();
    Object::new()
        .with("address", template(&event.subject))
        .with("title", &event.name)
        .with_text("description", markdown::commonmark(&event.comment))
        .with("servers", list([Object::new().with("$ref", "#/servers/nats")]))
        .with_object("parameters", parameters)
        .with("messages", messages)
        .with_some("x-treaty-stream", stream(index, event).map(extension))
        .with("x-treaty-subject-filter", &event.wildcard)
}

/// A template as the contract writes it.
pub(in crate::emit) fn template(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Field { name, .. } => format!("{{{name}}}"),
        })
        .collect()
}

fn field<'a>(index: &Index<'a>, event: &Event, name: &str) -> Option<&'a Field> {
    index.message(&event.rust)?.fields.iter().find(|field| field.name == name)
}

/// A token of the subject, which is a field of the message.
fn parameter(index: &Index<'_>, event: &Event, name: &str) -> Object {
    let field = field(index, event, name);
    let mut description =
        field.map(|field| markdown::commonmark(&field.comment)).unwrap_or_default();
    if !description.is_empty() {
        description.push_str("\n\n");
    }
    description.push_str(
        "ASCII letters, digits, `-`, `_`, `~` and `:` stand as they are; every other byte is `%XX`.",
    );
    let values = field.and_then(|field| index.enumeration(field.ty.rust()?));
    let values = values.map(|enumeration| list(enumeration.values.iter().map(|value| &value.name)));
    let json_name = field.map_or(name, |field| field.json_name.as_str());
    Object::new()
        .with("description", description)
        .with_some("enum", values)
        .with("location", format!("$message.payload#/{json_name}"))
}

/// The stream that keeps an event.
pub(in crate::emit) fn stream<'a>(index: &Index<'a>, event: &Event) -> Option<&'a Stream> {
    let package = index.model.package(&event.stream_package)?;
    package.streams.iter().find(|stream| stream.name == event.stream)
}

fn extension(stream: &Stream) -> Object {
    Object::new()
        .with("name", &stream.name)
        .with("subjects", list(&stream.subjects))
        .with("retention", stream.retention.to_lowercase())
        .with_some("maxAge", stream.max_age.map(time::json))
        .with_some("maxBytes", stream.max_bytes)
        .with("duplicateWindow", time::json(stream.duplicate_window))
        .with_some("atomicBatches", stream.atomic_batches.then_some(true))
}
