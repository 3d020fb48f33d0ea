//! The page of a deployable: all the traffic that its contract grants.

use super::html::{code, code_link, comment, escape, inline_list, link, table};
use super::page::{Page, Site, trail};
use super::{links, routes};
use crate::emit::document::index::short;
use crate::emit::document::{Index, markdown, time};
use crate::model::{Acknowledgement, Deployable, Handler};

pub(super) fn page(site: &Site<'_>, index: &Index<'_>, deployable: &Deployable) -> String {
    let mut body = trail(site.title(), "deployables");
    body.push_str(&format!("<h1>{}</h1>\n", escape(&deployable.name)));
    body.push_str(&comment(&deployable.comment));
    body.push_str(&routes::documents(index, deployable, "../../"));
    body.push_str(&serves(index, deployable));
    body.push_str(&section(
        "HTTP routes",
        &routes::HEAD,
        &routes::of_deployable(index, deployable, "../"),
    ));
    body.push_str(&calls(index, deployable));
    body.push_str(&publishes(index, deployable));
    let handlers: Vec<_> =
        deployable.handles.iter().map(|handler| handled(index, handler)).collect();
    body.push_str(&section("Handles", &HANDLER_HEAD, &handlers));
    body.push_str(&workflows(index, "Runs", &deployable.runs));
    body.push_str(&workflows(index, "Starts", &deployable.starts));
    let path = links::deployable(&deployable.name);
    site.render(&Page { path: &path, title: &deployable.name, body })
}

fn section(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let id = title.to_lowercase().replace(' ', "-");
    format!("<h2 id=\"{id}\">{title}</h2>\n{}", table(head, rows))
}

/// A top-level thing, seen from a page of a folder.
fn named(full_name: &str) -> String {
    code_link(&format!("../{}", links::to(full_name)), short(full_name))
}

fn serves(index: &Index<'_>, deployable: &Deployable) -> String {
    let rows: Vec<_> = deployable
        .serves
        .iter()
        .map(|name| {
            let about = index.model.service(name).map(|(_, service)| &service.comment);
            let callers = index
                .model
                .deployables
                .iter()
                .filter(|other| other.calls.iter().any(|call| call.service == *name));
            let callers = callers
                .map(|other| link(&format!("../{}", links::deployable(&other.name)), &other.name));
            vec![
                named(name),
                about.map(|text| escape(&markdown::summary(text))).unwrap_or_default(),
                inline_list(callers.collect()),
            ]
        })
        .collect();
    section("Serves", &["Service", "What it does", "Called by"], &rows)
}

fn calls(index: &Index<'_>, deployable: &Deployable) -> String {
    let rows: Vec<_> = deployable
        .calls
        .iter()
        .map(|call| {
            let about = index.model.service(&call.service).map(|(_, service)| &service.comment);
            vec![
                named(&call.service),
                link(&format!("../{}", links::deployable(&call.server)), &call.server),
                about.map(|text| escape(&markdown::summary(text))).unwrap_or_default(),
            ]
        })
        .collect();
    section("Calls", &["Service", "Answered by", "What it does"], &rows)
}

fn publishes(index: &Index<'_>, deployable: &Deployable) -> String {
    let events = deployable.publishes.iter().filter_map(|name| index.event(name));
    let rows: Vec<_> = events
        .map(|event| {
            let handlers = super::events::handlers(index, event);
            let handlers = handlers.map(|(other, _)| {
                link(&format!("../{}", links::deployable(&other.name)), &other.name)
            });
            vec![
                named(&event.full_name),
                super::events::subject(event),
                code_link(&format!("../{}", links::stream(&event.stream)), &event.stream),
                inline_list(handlers.collect()),
            ]
        })
        .collect();
    section("Publishes", &["Event", "Subject", "Stream", "Handled by"], &rows)
}

const HANDLER_HEAD: [&str; 6] =
    ["Event", "Durable consumer", "At a time", "Ack wait", "Deliveries", "Waits between"];

fn handled(index: &Index<'_>, handler: &Handler) -> Vec<String> {
    let stream = index.event(&handler.event).map_or("", |event| event.stream.as_str());
    let dead = format!("dead-letters.{stream}.{}", handler.durable);
    let mut waits: Vec<_> = handler.backoff.iter().map(|wait| time::readable(*wait)).collect();
    if waits.is_empty() {
        waits.push("1 s".to_owned());
    }
    vec![
        named(&handler.event),
        format!("{}<br><span class=\"soft\">then {}</span>", code(&handler.durable), code(&dead)),
        at_a_time(handler),
        ack_wait(handler),
        handler.max_deliver.to_string(),
        waits.join(", "),
    ]
}

fn at_a_time(handler: &Handler) -> String {
    if handler.ordered_by.is_empty() {
        return handler.concurrency.to_string();
    }
    let key: Vec<_> = handler.ordered_by.iter().map(|key| code(&key.field)).collect();
    let note = format!("<span class=\"soft\">one for each {}</span>", key.join(", "));
    format!("{}<br>{note}", handler.concurrency)
}

fn ack_wait(handler: &Handler) -> String {
    let wait = time::readable(handler.ack_wait);
    match handler.ack {
        Acknowledgement::Confirmed => wait,
        Acknowledgement::Unconfirmed => {
            format!("{wait}<br><span class=\"soft\">acknowledged unconfirmed</span>")
        }
    }
}

fn workflows(index: &Index<'_>, title: &str, names: &[String]) -> String {
    let services = names.iter().filter_map(|name| index.model.workflow_service(name));
    let rows: Vec<_> = services
        .map(|(_, service)| {
            let linked = |name: &String| {
                code_link(&format!("../{}", links::method(&service.full_name, name)), name)
            };
            let workflows = service.workflows.iter().map(|one| linked(&one.name)).collect();
            let activities = service.activities.iter().map(|one| linked(&one.name)).collect();
            vec![
                named(&service.full_name),
                code(&service.task_queue),
                inline_list(workflows),
                inline_list(activities),
            ]
        })
        .collect();
    section(title, &["Workflow service", "Task queue", "Workflows", "Activities"], &rows)
}
