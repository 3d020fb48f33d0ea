//! Events and the streams that keep them.

use std::collections::BTreeMap;
use std::time::Duration;

use heck::ToSnakeCase;
use prost_reflect::{FileDescriptor, Kind, MessageDescriptor};

use super::options::{EventRule, StreamRule, extension};
use super::source::{Report, comment};
use super::{names, path};
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
    match extension::<Vec<StreamRule>>(&contracts.pool, &file.options(), "treaty.v1.stream") {
        Ok(rules) => {
            for rule in rules.unwrap_or_default() {
                package.streams.extend(stream(rule, file, report));
            }
        }
        Err(message) => report.add(file, &[path::FILE_OPTIONS], message, ADVICE),
    }
    for message in file.messages() {
        match extension::<EventRule>(&contracts.pool, &message.options(), "treaty.v1.event") {
            Ok(None) => {}
            Ok(Some(rule)) => match event(&rule, file, &message) {
                Ok(event) => package.events.push(event),
                Err(mistake) => report.add(file, message.path(), mistake, ADVICE),
            },
            Err(mistake) => report.add(file, message.path(), mistake, ADVICE),
        }
    }
}

fn stream(rule: StreamRule, file: &FileDescriptor, report: &mut Report) -> Option<Stream> {
    let at = [path::FILE_OPTIONS];
    if !names::is_safe(&rule.name, '-') {
        let advice = "Use lower-case letters, digits and hyphens, as typed after `nats stream info`.";
        report.add(file, &at, format!("stream name `{}` is not usable", rule.name), advice);
        return None;
    }
    let retention = match rule.retention.as_str() {
        "RETENTION_LIMITS" => "Limits",
        "RETENTION_INTEREST" => "Interest",
        _ => {
            let advice = "Use RETENTION_LIMITS or RETENTION_INTEREST.";
            report.add(file, &at, format!("stream `{}` has no retention", rule.name), advice);
            return None;
        }
    };
    Some(Stream {
        name: rule.name,
        subjects: Vec::new(),
        retention: retention.to_owned(),
        max_age: rule.max_age,
        max_bytes: (rule.max_bytes > 0).then_some(rule.max_bytes),
        duplicate_window: rule.duplicate_window.unwrap_or(DUPLICATE_WINDOW),
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
fn template(text: &str, message: &MessageDescriptor) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (name, after) =
            tail.split_once('}').ok_or_else(|| format!("`{text}` has a brace that never closes"))?;
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
    Ok(Part::Field { name: name.to_owned(), rust_name: name.to_snake_case(), enumeration })
}

/// The subject with `*` for each field; each field must be a token of its own.
fn wildcard(subject: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let tokens = subject.split('.').map(|token| {
        if token.starts_with('{') && token.ends_with('}') {
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
    let mut declared: BTreeMap<String, String> = BTreeMap::new();
    for package in &model.packages {
        for stream in &package.streams {
            if declared.insert(stream.name.clone(), package.name.clone()).is_some()
                && let Some(file) = files.iter().find(|file| file.package_name() == package.name)
            {
                let message = format!("stream `{}` is declared twice", stream.name);
                report.add(file, &[path::FILE_OPTIONS], message, "Keep one declaration.");
            }
        }
    }
    let mut subjects: Vec<(String, String, String)> = Vec::new();
    for event in model.packages.iter_mut().flat_map(|package| &mut package.events) {
        let Some(message) = contracts.pool.get_message_by_name(&event.full_name) else { continue };
        let mut refuse = |text: String, advice: &str| {
            report.add(&message.parent_file(), message.path(), text, advice);
        };
        match declared.get(&event.stream) {
            Some(package) => event.stream_package.clone_from(package),
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
    for stream in model.packages.iter_mut().flat_map(|package| &mut package.streams) {
        let own = subjects.iter().filter(|(name, _, _)| *name == stream.name);
        stream.subjects = own.map(|(_, wildcard, _)| wildcard.clone()).collect();
        stream.subjects.sort();
    }
}

fn subjects_overlap(a: &str, b: &str) -> bool {
    let (left, right): (Vec<_>, Vec<_>) = (a.split('.').collect(), b.split('.').collect());
    let same = |(x, y): (&&str, &&str)| x == y || *x == "*" || *y == "*";
    left.len() == right.len() && left.iter().zip(&right).all(same)
}
