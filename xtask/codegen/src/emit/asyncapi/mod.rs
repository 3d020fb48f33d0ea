//! AsyncAPI 3.0 of what a deployable publishes and handles
//! (<https://www.asyncapi.com/docs/reference/specification/v3.0.0>).
//!
//! AsyncAPI's binding for NATS knows nothing of JetStream: streams and durable consumers
//! are told by the extensions `x-treaty-stream` and `x-treaty-consumer`.

mod channel;
mod message;

pub(super) use channel::template;

use std::collections::BTreeSet;

use super::document::schema::{Dialect, Schemas};
use super::document::{Index, Object, Value, list, markdown, time};
use crate::File;
use crate::model::{Acknowledgement, Deployable, Event, Handler, Model};

/// One document for each deployable that publishes or handles events.
pub(super) fn emit(model: &Model) -> Vec<File> {
    let index = Index::new(model);
    let speaking = model.deployables.iter().filter(|deployable| has_events(deployable));
    speaking
        .map(|deployable| {
            let text = Value::from(document(&index, deployable)).document();
            File::new(format!("asyncapi/{}.json", deployable.name), text)
        })
        .collect()
}

/// Whether a deployable publishes or handles an event.
pub(super) fn has_events(deployable: &Deployable) -> bool {
    !deployable.publishes.is_empty() || !deployable.handles.is_empty()
}

fn document(index: &Index<'_>, deployable: &Deployable) -> Object {
    let handled = deployable.handles.iter().map(|handler| &handler.event);
    let names: BTreeSet<&String> = deployable.publishes.iter().chain(handled).collect();
    let events: Vec<&Event> = names.into_iter().filter_map(|name| index.event(name)).collect();
    let mut schemas = Schemas::new(index, Dialect::Draft7);
    let messages: Object = events
        .iter()
        .map(|event| (event.full_name.clone(), message::message(index, &mut schemas, event).into()))
        .collect();
    let channels: Object = events
        .iter()
        .map(|event| (event.full_name.clone(), channel::channel(index, event).into()))
        .collect();
    let components =
        Object::new().with("messages", messages).with_object("schemas", schemas.components());
    let mut description = markdown::commonmark(&deployable.comment);
    if !description.is_empty() {
        description.push_str("\n\n");
    }
    description.push_str(CONVENTIONS);
    let info = Object::new()
        .with("title", &deployable.name)
        .with("version", versions(&events))
        .with("description", description);
    Object::new()
        .with("asyncapi", "3.0.0")
        .with("info", info)
        .with("defaultContentType", message::CONTENT_TYPE)
        .with("servers", Object::new().with("nats", server()))
        .with("channels", channels)
        .with("operations", operations(deployable))
        .with("components", components)
}

/// What holds for every message.
const CONVENTIONS: &str = "\
Messages are kept by JetStream streams and delivered at least once. The payload is protobuf's \
binary form of the message; its schema is that of the same message in proto3 JSON.";

fn versions(events: &[&Event]) -> String {
    let packages = events.iter().filter_map(|event| event.full_name.rsplit('.').nth(1));
    let versions: BTreeSet<_> = packages.collect();
    versions.into_iter().collect::<Vec<_>>().join(", ")
}

fn server() -> Object {
    let host = Object::new()
        .with("default", "localhost:4222")
        .with("description", "Host and port of a NATS server.");
    Object::new()
        .with("host", "{address}")
        .with("protocol", "nats")
        .with("description", "The NATS servers of the environment, with JetStream.")
        .with("variables", Object::new().with("address", host))
}

fn operations(deployable: &Deployable) -> Object {
    let publishes = deployable.publishes.iter().map(|event| {
        let name = format!("publish.{event}");
        let text = "Publishes to the stream, and waits until the stream has it.";
        (name, operation("send", event, text).into())
    });
    let handles = deployable.handles.iter().map(|handler| {
        let text = "Handles each message once it is there; replicas share the work.";
        let consumer = consumer(handler);
        let operation =
            operation("receive", &handler.event, text).with("x-treaty-consumer", consumer);
        (format!("handle.{}", handler.event), operation.into())
    });
    publishes.chain(handles).collect()
}

fn operation(action: &str, event: &str, summary: &str) -> Object {
    let channel = format!("#/channels/{event}");
    let message = format!("{channel}/messages/{event}");
    let reference = |target: String| Object::new().with("$ref", target);
    Object::new()
        .with("action", action)
        .with("channel", reference(channel))
        .with("summary", summary)
        .with("messages", list([reference(message)]))
}

/// The durable consumer of a handler.
fn consumer(handler: &Handler) -> Object {
    let consumer = Object::new()
        .with("durable", &handler.durable)
        .with("concurrency", handler.concurrency)
        .with("ackWait", time::json(handler.ack_wait))
        .with("maxDeliver", handler.max_deliver)
        .with("backoff", list(handler.backoff.iter().map(|wait| time::json(*wait))))
        .with("ackConfirmed", handler.ack == Acknowledgement::Confirmed);
    if handler.ordered_by.is_empty() {
        return consumer;
    }
    consumer.with("orderedBy", list(handler.ordered_by.iter().map(|key| key.field.clone())))
}
