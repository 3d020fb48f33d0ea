//! The index of the search: name, kind, address, first sentence.

use super::links;
use crate::emit::document::index::local;
use crate::emit::document::{Value, list, markdown};
use crate::model::{Model, Package};

/// A script that sets the index: a page from a directory may not read files.
pub(super) fn index(model: &Model) -> String {
    let mut entries = Vec::new();
    for one in &model.deployables {
        let target = links::deployable(&one.name);
        entries.push(entry(&one.name, "deployable", &target, &one.comment));
    }
    for package in &model.packages {
        entries.push(entry(
            &package.name,
            "package",
            &links::package(&package.name),
            &package.comment,
        ));
        add_calls(package, &mut entries);
        for stream in &package.streams {
            entries.push(entry(&stream.name, "stream", &links::stream(&stream.name), ""));
        }
        for message in &package.messages {
            let is_event = package.events.iter().any(|event| event.full_name == message.full_name);
            let kind = if is_event { "event" } else { "message" };
            let name = local(&package.name, &message.full_name);
            let target = links::within(&package.name, &message.full_name);
            entries.push(entry(name, kind, &target, &message.comment));
        }
        for one in &package.enums {
            let name = local(&package.name, &one.full_name);
            let target = links::within(&package.name, &one.full_name);
            entries.push(entry(name, "enum", &target, &one.comment));
        }
    }
    // A line for each, so that a change of one is a change of one line.
    let lines: Vec<_> = entries.iter().map(Value::compact).collect();
    format!("window.treatySearchIndex = [\n{}\n];\n", lines.join(",\n"))
}

fn add_calls(package: &Package, entries: &mut Vec<Value>) {
    for service in &package.services {
        entries.push(entry(
            &service.name,
            "service",
            &links::to(&service.full_name),
            &service.comment,
        ));
        for method in &service.methods {
            let target = links::method(&service.full_name, &method.name);
            entries.push(entry(&method.name, "RPC", &target, &method.comment));
            for route in &method.routes {
                let name = format!("{} {}", route.verb.to_uppercase(), route.path);
                entries.push(entry(&name, "route", &target, &method.comment));
            }
        }
    }
    for service in &package.workflows {
        let target = links::to(&service.full_name);
        entries.push(entry(&service.name, "workflows", &target, &service.comment));
        let workflows = service.workflows.iter().map(|one| (&one.name, "workflow", &one.comment));
        let activities = service.activities.iter().map(|one| (&one.name, "activity", &one.comment));
        for (name, kind, comment) in workflows.chain(activities) {
            entries.push(entry(name, kind, &links::method(&service.full_name, name), comment));
        }
    }
}

fn entry(name: &str, kind: &str, target: &str, comment: &str) -> Value {
    list([name, kind, target, &markdown::summary(comment)])
}
