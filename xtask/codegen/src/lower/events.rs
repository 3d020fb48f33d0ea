//! Events and the streams that keep them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use prost_reflect::{FileDescriptor, Kind, MessageDescriptor};

use super::names;
use super::options::{EVENT, EventRule, STREAM, StreamRule, extension, is_set};
use super::source::{Report, comment};
use crate::load::Contracts;
use crate::model::{Event, Model, Package, Part, Stream};

const ADVICE: &str = "See treaty/v1/event.proto.";

/// JetStream's own default for remembering message ids.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// Adds the streams and events of a file to its package.
pub(super) fn lower(
    package: &mut Package,
    file: &FileDescriptor,
    contracts: &Contracts,
    report: &mut Report,
) {
    match extension::<Vec<StreamRule>>(&contracts.pool, &file.options(), STREAM) {
        Ok(rules) => {
            for (index, rule) in rules.unwrap_or_default().into_iter().enumerate() {
                match stream(rule) {
                    Ok(stream) => package.streams.push(stream),
                    Err((mistake, advice)) => {
                        report.add(file, &stream_place(index), mistake, advice);
                    }
                }
            }
        }
        Err(message) => report.add(file, &STREAM.on(&[]), message, ADVICE),
    }
    for message in file.messages() {
        match extension::<EventRule>(&contracts.pool, &message.options(), EVENT) {
            Ok(None) => {}
            Ok(Some(rule)) => match event(&rule, file, &message) {
                Ok(event) => package.events.push(event),
                Err(mistake) => report.add(file, &EVENT.on(message.path()), mistake, ADVICE),
            },
            Err(mistake) => report.add(file, &EVENT.on(message.path()), mistake, ADVICE),
        }
        refuse_nested(file, &message, contracts, report);
    }
}

/// Position of a file's stream, of which there may be several.
fn stream_place(index: usize) -> Vec<i32> {
    let mut place = STREAM.on(&[]);
    place.extend(i32::try_from(index));
    place
}

/// Only a message at the top of a file is published: a nested one has no name of its own.
fn refuse_nested(
    file: &FileDescriptor,
    message: &MessageDescriptor,
    contracts: &Contracts,
    report: &mut Report,
) {
    for child in message.child_messages() {
        if is_set(&contracts.pool, &child.options(), EVENT) {
            let text = format!("event {} stands inside another message", child.full_name());
            let place = EVENT.on(child.path());
            report.add(file, &place, text, "Move the message to the top of the file.");
        }
        refuse_nested(file, &child, contracts, report);
    }
}

/// JetStream refuses a shorter age or window than this.
const SHORTEST: Duration = Duration::from_millis(100);

fn stream(rule: StreamRule) -> Result<Stream, (String, &'static str)> {
    let name = &rule.name;
    if !names::is_safe(name, '-') {
        let advice =
            "Use lower-case letters, digits and hyphens, as typed after `nats stream info`.";
        return Err((format!("stream name `{name}` is not usable"), advice));
    }
    let retention = match rule.retention.as_str() {
        "RETENTION_LIMITS" => "Limits",
        "RETENTION_INTEREST" => "Interest",
        _ => {
            let advice = "Use RETENTION_LIMITS or RETENTION_INTEREST.";
            return Err((format!("stream `{name}` has no retention"), advice));
        }
    };
    if rule.max_bytes < 0 {
        let advice = "Give the bytes, or leave max_bytes out for no limit.";
        return Err((format!("stream `{name}` has a negative max_bytes"), advice));
    }
    let duplicate_window = rule
        .duplicate_window
        .unwrap_or_else(|| DUPLICATE_WINDOW.min(rule.max_age.unwrap_or(DUPLICATE_WINDOW)));
    for (what, value) in [("max_age", rule.max_age), ("duplicate_window", Some(duplicate_window))] {
        if value.is_some_and(|value| value < SHORTEST) {
            let advice = "Give 100 milliseconds or more, or leave it out.";
            return Err((format!("{what} of stream `{name}` is too short"), advice));
        }
    }
    if rule.max_age.is_some_and(|max_age| duplicate_window > max_age) {
        let advice = "Messages cannot be remembered longer than they are kept.";
        return Err((format!("duplicate_window of stream `{name}` exceeds max_age"), advice));
    }
    Ok(Stream {
        retention: retention.to_owned(),
        subjects: Vec::new(),
        max_age: rule.max_age,
        max_bytes: (rule.max_bytes > 0).then_some(rule.max_bytes),
        duplicate_window,
        atomic_batches: rule.atomic_batches,
        name: rule.name,
    })
}

fn event(
    rule: &EventRule,
    file: &FileDescriptor,
    message: &MessageDescriptor,
) -> Result<Event, String> {
    if rule.stream.is_empty() {
        return Err(format!("event {} has no stream", message.full_name()));
    }
    let subject = template(&rule.subject, message)?;
    let wildcard = wildcard(&rule.subject)?;
    // It becomes a header of the message, which ends with its line.
    if !rule.message_id.chars().all(|c| c.is_ascii_graphic()) {
        return Err("message_id holds more than visible ASCII characters".to_owned());
    }
    Ok(Event {
        name: message.name().to_owned(),
        full_name: message.full_name().to_owned(),
        comment: comment(file, message.path()),
        rust: names::message_type(message),
        stream: rule.stream.clone(),
        stream_package: String::new(),
        subject,
        wildcard,
        message_id: template(&rule.message_id, message)?,
    })
}

/// Splits a template into literals and fields.
pub(super) fn template(text: &str, message: &MessageDescriptor) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (name, after) = tail
            .split_once('}')
            .ok_or_else(|| format!("`{text}` has a brace that never closes"))?;
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        parts.push(field(name, message)?);
        rest = after;
    }
    if rest.contains('}') {
        return Err(format!("`{text}` closes a brace that never opened"));
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}

fn field(name: &str, message: &MessageDescriptor) -> Result<Part, String> {
    let field = message
        .get_field_by_name(name)
        .ok_or_else(|| format!("{} has no field `{name}`", message.full_name()))?;
    let enumeration = match field.kind() {
        Kind::Enum(enumeration) => Some(names::enum_type(&enumeration)),
        Kind::Message(_) | Kind::Bytes | Kind::Double | Kind::Float => {
            return Err(format!("field `{name}` is neither text, integer, boolean nor enum"));
        }
        _ => None,
    };
    if field.is_list() || field.supports_presence() {
        return Err(format!("field `{name}` must be singular and always present"));
    }
    Ok(Part::Field { name: name.to_owned(), rust_name: names::field(&field), enumeration })
}

/// The subject with `*` for each field; each field must be a token of its own.
fn wildcard(subject: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let field = |token: &str| {
        let inner = token.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        inner.is_some_and(|inner| !inner.contains(['{', '}']))
    };
    if field(subject.split('.').next().unwrap_or_default()) {
        // Such a stream would keep foreign subjects too, the server's own included.
        return Err(format!("subject `{subject}` starts with a field instead of a word"));
    }
    let tokens = subject.split('.').map(|token| {
        if field(token) {
            Ok("*")
        } else if !token.is_empty() && token.chars().all(plain) {
            Ok(token)
        } else {
            Err(format!("token `{token}` of subject `{subject}` is not usable"))
        }
    });
    Ok(tokens.collect::<Result<Vec<_>, _>>()?.join("."))
}

/// Gives each stream the subjects of its events, and each event the package of
/// its stream.
pub(super) fn assign_streams(
    model: &mut Model,
    files: &[FileDescriptor],
    contracts: &Contracts,
    report: &mut Report,
) {
    let declared = declared_streams(files, contracts, report);
    let mut subjects: Vec<(String, String, String)> = Vec::new();
    for event in model.packages.iter_mut().flat_map(|package| &mut package.events) {
        let Some(message) = contracts.pool.get_message_by_name(&event.full_name) else { continue };
        let mut refuse = |text: String, advice: &str| {
            report.add(&message.parent_file(), &EVENT.on(message.path()), text, advice);
        };
        match declared.get(&event.stream) {
            Some((package, _, _)) => event.stream_package.clone_from(package),
            None => refuse(
                format!("stream `{}` is not declared", event.stream),
                "Declare it once: option (treaty.v1.stream) = {name: \"…\" retention: …};",
            ),
        }
        if let Some((_, _, other)) =
            subjects.iter().find(|(_, known, _)| subjects_overlap(known, &event.wildcard))
        {
            refuse(
                format!("subject `{}` can equal one of {other}", event.wildcard),
                "Give each event a subject of its own.",
            );
        }
        subjects.push((event.stream.clone(), event.wildcard.clone(), event.full_name.clone()));
    }
    for package in &mut model.packages {
        let foreign = package.events.iter().map(|event| event.stream_package.clone());
        package
            .dependencies
            .extend(foreign.filter(|name| !name.is_empty() && *name != package.name));
        package.dependencies.sort();
        package.dependencies.dedup();
    }
    for stream in model.packages.iter_mut().flat_map(|package| &mut package.streams) {
        let own = subjects.iter().filter(|(name, _, _)| *name == stream.name);
        stream.subjects = own.map(|(_, wildcard, _)| wildcard.clone()).collect();
        stream.subjects.sort();
        let idle = stream.subjects.is_empty() && report.is_empty();
        if let (true, Some((_, file, place))) = (idle, declared.get(&stream.name)) {
            let message = format!("no event names stream `{}`", stream.name);
            let advice = "Name it in the option (treaty.v1.event) of a message, or take it out.";
            report.add(file, place, message, advice);
        }
    }
}

/// Where each stream is declared: package, file and position.
fn declared_streams<'a>(
    files: &'a [FileDescriptor],
    contracts: &Contracts,
    report: &mut Report,
) -> BTreeMap<String, (String, &'a FileDescriptor, Vec<i32>)> {
    let mut declared = BTreeMap::new();
    for file in files {
        let rules = extension::<Vec<StreamRule>>(&contracts.pool, &file.options(), STREAM);
        for (index, rule) in rules.ok().flatten().unwrap_or_default().into_iter().enumerate() {
            let place = stream_place(index);
            match declared.entry(rule.name) {
                Entry::Occupied(taken) => {
                    let message = format!("stream `{}` is declared twice", taken.key());
                    report.add(file, &place, message, "Keep one declaration.");
                }
                Entry::Vacant(free) => {
                    free.insert((file.package_name().to_owned(), file, place));
                }
            }
        }
    }
    declared
}

fn subjects_overlap(a: &str, b: &str) -> bool {
    let (left, right): (Vec<_>, Vec<_>) = (a.split('.').collect(), b.split('.').collect());
    let same = |(x, y): (&&str, &&str)| x == y || *x == "*" || *y == "*";
    left.len() == right.len() && left.iter().zip(&right).all(same)
}
