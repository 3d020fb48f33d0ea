//! Events and the streams that keep them.

use super::rules::{
    EVENT_MESSAGE_ID_CHANGED, EVENT_REMOVED, EVENT_STREAM_CHANGED, EVENT_SUBJECT_CHANGED,
    EVENT_UNPUBLISHED, STREAM_DUPLICATE_WINDOW_SHORTENED, STREAM_MAX_AGE_SHORTENED,
    STREAM_MAX_BYTES_LOWERED, STREAM_REMOVED, STREAM_RETENTION_CHANGED,
};
use super::{Findings, is_lowered, limit, seconds};
use crate::model::{Event, Model, Part, Stream};

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    for stream in old.packages.iter().flat_map(|package| &package.streams) {
        let mut streams = new.packages.iter().flat_map(|package| &package.streams);
        let element = format!("stream:{}", stream.name);
        match streams.find(|candidate| candidate.name == stream.name) {
            Some(now) => compare_streams(stream, now, &element, findings),
            None => {
                let message = format!("stream `{}` is no longer declared", stream.name);
                findings.add(STREAM_REMOVED, &element, message);
            }
        }
    }
    for event in old.packages.iter().flat_map(|package| &package.events) {
        match new.event(&event.full_name) {
            Some((_, now)) => compare_events(event, now, findings),
            None => {
                let message = format!("{} is no longer an event", event.name);
                findings.add(EVENT_REMOVED, &event.full_name, message);
            }
        }
        let published = |model: &Model| {
            let mut all = model.deployables.iter().flat_map(|deployable| &deployable.publishes);
            all.any(|name| *name == event.full_name)
        };
        if new.event(&event.full_name).is_some() && published(old) && !published(new) {
            let message = format!("no deployable publishes {} any more", event.name);
            findings.add(EVENT_UNPUBLISHED, &event.full_name, message);
        }
    }
}

fn compare_streams(old: &Stream, new: &Stream, element: &str, findings: &mut Findings) {
    if old.retention != new.retention {
        let message = format!("retention was {}, is {}", old.retention, new.retention);
        findings.add(STREAM_RETENTION_CHANGED, element, message);
    }
    if is_lowered(old.max_age, new.max_age) {
        let message = format!("max_age was {}, is {}", limit(old.max_age), limit(new.max_age));
        findings.add(STREAM_MAX_AGE_SHORTENED, element, message);
    }
    if is_lowered(old.max_bytes, new.max_bytes) {
        let bytes = |value: Option<i64>| {
            value.map_or_else(|| "no limit".to_owned(), |value| format!("{value} bytes"))
        };
        let message =
            format!("max_bytes was {}, is {}", bytes(old.max_bytes), bytes(new.max_bytes));
        findings.add(STREAM_MAX_BYTES_LOWERED, element, message);
    }
    if new.duplicate_window < old.duplicate_window {
        let (was, is) = (seconds(old.duplicate_window), seconds(new.duplicate_window));
        let message = format!("duplicate_window was {was}, is {is}");
        findings.add(STREAM_DUPLICATE_WINDOW_SHORTENED, element, message);
    }
}

fn compare_events(old: &Event, new: &Event, findings: &mut Findings) {
    if old.stream != new.stream {
        let message = format!("its stream was `{}`, is `{}`", old.stream, new.stream);
        findings.add(EVENT_STREAM_CHANGED, &old.full_name, message);
    }
    let (was, is) = (text(&old.subject), text(&new.subject));
    if was != is {
        let message = format!("its subject was `{was}`, is `{is}`");
        findings.add(EVENT_SUBJECT_CHANGED, &old.full_name, message);
    }
    let (was, is) = (text(&old.message_id), text(&new.message_id));
    if was != is {
        let key = |text: &str| {
            if text.is_empty() { "missing".to_owned() } else { format!("`{text}`") }
        };
        let message = format!("its deduplication key was {}, is {}", key(&was), key(&is));
        findings.add(EVENT_MESSAGE_ID_CHANGED, &old.full_name, message);
    }
}

/// A template as it stands in the contract.
pub(super) fn text(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Literal(literal) => literal.clone(),
        Part::Field { name, .. } => format!("{{{name}}}"),
    };
    parts.iter().map(text).collect()
}
