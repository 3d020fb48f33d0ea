//! Streams and the events that they keep.

use super::html::{brief, code, code_link, escape, facts, heading, inline_list, link, table};
use super::page::{Page, Site};
use super::{links, routes};
use crate::emit::asyncapi::template;
use crate::emit::document::{Index, markdown, time};
use crate::model::{Deployable, Event, Handler, Stream};

pub(super) fn page(site: &Site<'_>, index: &Index<'_>) -> String {
    let mut body = String::from(
        "<h1>Events and streams</h1>\n<p class=\"lead\">What is published, where it is kept, and who \
         handles it.</p>\n",
    );
    let streams = index
        .model
        .packages
        .iter()
        .flat_map(|package| package.streams.iter().map(move |stream| (package, stream)));
    let mut any = false;
    for (package, stream) in streams {
        any = true;
        let id = format!("stream-{}", stream.name);
        body.push_str(&heading(2, &id, &stream.name, " <span class=\"kind\">stream</span>"));
        let declared = code_link(&links::package(&package.name), &package.name);
        body.push_str(&stream_facts(stream, declared));
        let events = index.model.packages.iter().flat_map(|package| &package.events);
        let rows: Vec<_> = events
            .filter(|event| event.stream == stream.name)
            .map(|event| row(index, event))
            .collect();
        body.push_str(&table(&["Event", "Subject", "Published by", "Handled by"], &rows));
    }
    if !any {
        body.push_str("<p>No contract declares a stream.</p>\n");
    }
    site.render(&Page { path: "events.html", title: "Events and streams", body })
}

fn stream_facts(stream: &Stream, declared: String) -> String {
    let retention = match stream.retention.as_str() {
        "Interest" => "until every consumer has acknowledged",
        _ => "until age or size ends it",
    };
    let subjects = stream.subjects.iter().map(|subject| code(subject)).collect();
    let mut list = vec![("Keeps a message", retention.to_owned())];
    if let Some(age) = stream.max_age {
        list.push(("Longest", time::readable(age)));
    }
    if let Some(bytes) = stream.max_bytes {
        list.push(("At most", format!("{bytes} bytes, then it refuses")));
    }
    list.push(("Remembers message ids", time::readable(stream.duplicate_window)));
    if stream.atomic_batches {
        list.push(("Takes batches", "each stored whole or not at all".to_owned()));
    }
    list.push(("Subjects", inline_list(subjects)));
    list.push(("Declared in", declared));
    facts(&list)
}

fn row(index: &Index<'_>, event: &Event) -> Vec<String> {
    let linked = |one: &Deployable| link(&links::deployable(&one.name), &one.name);
    vec![
        format!(
            "{}<br><span class=\"soft\">{}</span>",
            code_link(&links::to(&event.full_name), &event.name),
            escape(&markdown::summary(&event.comment))
        ),
        subject(event),
        inline_list(publishers(index, event).map(linked).collect()),
        inline_list(handlers(index, event).map(|(one, _)| linked(one)).collect()),
    ]
}

/// Deployables that publish an event.
pub(super) fn publishers<'a>(
    index: &Index<'a>,
    event: &'a Event,
) -> impl Iterator<Item = &'a Deployable> {
    let all = index.model.deployables.iter();
    all.filter(move |one| one.publishes.contains(&event.full_name))
}

/// Deployables that handle an event, and how.
pub(super) fn handlers<'a>(
    index: &Index<'a>,
    event: &'a Event,
) -> impl Iterator<Item = (&'a Deployable, &'a Handler)> {
    let all = index.model.deployables.iter();
    all.flat_map(|one| one.handles.iter().map(move |handler| (one, handler)))
        .filter(move |(_, handler)| handler.event == event.full_name)
}

/// The subject with its fields told apart.
pub(super) fn subject(event: &Event) -> String {
    routes::path(&template(&event.subject))
}

/// What a package's page says of an event above its fields.
pub(super) fn section(index: &Index<'_>, event: &Event) -> String {
    let linked =
        |one: &Deployable| link(&format!("../{}", links::deployable(&one.name)), &one.name);
    let stream = code_link(&format!("../{}", links::stream(&event.stream)), &event.stream);
    let id = if event.message_id.is_empty() {
        brief("none: every publish is a message of its own")
    } else {
        routes::path(&template(&event.message_id))
    };
    facts(&[
        ("Stream", stream),
        ("Subject", subject(event)),
        ("Message id", id),
        ("Published by", inline_list(publishers(index, event).map(linked).collect())),
        ("Handled by", inline_list(handlers(index, event).map(|(one, _)| linked(one)).collect())),
    ])
}
