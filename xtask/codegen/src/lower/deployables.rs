//! Deployable services: that what they are granted exists, and is answered.

use std::collections::BTreeMap;
use std::time::Duration;

use heck::ToSnakeCase;
use prost_reflect::FileDescriptor;

use super::options::{DEPLOYABLE, DeployableRule, HandlerRule, extension};
use super::source::{Report, comment};
use super::{names, path};
use crate::load::Contracts;
use crate::model::{Acknowledgement, Call, Deployable, Event, Handler, KeyToken, Model, Part};

const ADVICE: &str = "See treaty/v1/deployable.proto.";

/// Deliveries are repeated after this long when the contract does not say.
const ACK_WAIT: Duration = Duration::from_secs(30);

pub(super) fn lower(
    model: &mut Model,
    files: &[FileDescriptor],
    contracts: &Contracts,
    report: &mut Report,
) {
    let declared = declared(files, contracts, report);
    let servers = servers(&declared, report);
    let mut deployables: Vec<_> = declared
        .iter()
        .map(|(file, rule)| deployable(model, file, rule, &servers, report))
        .collect();
    deployables.sort_by(|a, b| a.name.cmp(&b.name));
    model.deployables = deployables;
}

/// Every declaration with a usable name that is not taken, and its file.
fn declared<'a>(
    files: &'a [FileDescriptor],
    contracts: &Contracts,
    report: &mut Report,
) -> Vec<(&'a FileDescriptor, DeployableRule)> {
    let mut declared: Vec<(&FileDescriptor, DeployableRule)> = Vec::new();
    for file in files {
        let rule: DeployableRule = match extension(&contracts.pool, &file.options(), DEPLOYABLE) {
            Ok(None) => continue,
            Ok(Some(rule)) => rule,
            Err(message) => {
                refuse(report, file, message, ADVICE);
                continue;
            }
        };
        if !is_usable(&rule.name) {
            let message = format!("deployable name `{}` is not usable", rule.name);
            let advice = "Use lower-case letters, digits and single hyphens, starting with a \
                          letter, and no word that Rust keeps for itself.";
            refuse(report, file, message, advice);
        } else if let Some((first, _)) = declared.iter().find(|(_, known)| known.name == rule.name)
        {
            let message =
                format!("deployable `{}` is already declared in {}", rule.name, first.name());
            refuse(report, file, message, "Keep one declaration.");
        } else {
            declared.push((file, rule));
        }
    }
    declared
}

/// Which deployable answers each service.
fn servers(
    declared: &[(&FileDescriptor, DeployableRule)],
    report: &mut Report,
) -> BTreeMap<String, String> {
    let mut servers: BTreeMap<String, String> = BTreeMap::new();
    for (file, rule) in declared {
        for service in &rule.serves {
            if let Some(other) = servers.insert(service.clone(), rule.name.clone())
                && other != rule.name
            {
                let message = format!("{service} is served by {other} and by {}", rule.name);
                refuse(report, file, message, "Let one deployable serve it.");
            }
        }
    }
    servers
}

/// The name becomes a directory, a crate, and a field of its callers' configuration.
fn is_usable(name: &str) -> bool {
    names::is_safe(name, '-') && !names::is_keyword(&name.to_snake_case())
}

fn refuse(report: &mut Report, file: &FileDescriptor, message: String, advice: &str) {
    report.add(file, &DEPLOYABLE.on(&[]), message, advice);
}

fn deployable(
    model: &Model,
    file: &FileDescriptor,
    rule: &DeployableRule,
    servers: &BTreeMap<String, String>,
    report: &mut Report,
) -> Deployable {
    check_names(model, file, rule, report);
    let mut calls = Vec::new();
    for service in &rule.calls {
        match servers.get(service) {
            Some(server) => {
                calls.push(Call { service: service.clone(), server: server.clone() });
            }
            None if model.service(service).is_some() => refuse(
                report,
                file,
                format!("{} calls {service}, which no deployable serves", rule.name),
                "Add it to `serves` of the deployable that answers it.",
            ),
            None => {}
        }
    }
    let handles = rule
        .handles
        .iter()
        .filter_map(|handler| match handle(model, rule, handler) {
            Ok(handler) => Some(handler),
            Err((message, advice)) => {
                let message = format!("handler of {}: {message}", handler.event);
                refuse(report, file, message, advice);
                None
            }
        })
        .collect();
    Deployable {
        name: rule.name.clone(),
        crate_name: format!("{}-port", rule.name),
        // Compilers disagree about comments of options, so that of the package counts.
        comment: comment(file, &[path::FILE_PACKAGE]),
        serves: rule.serves.clone(),
        calls,
        publishes: rule.publishes.clone(),
        handles,
        runs: rule.runs.clone(),
        starts: rule.starts.clone(),
    }
}

/// Refuses names of things that do not exist, or that one port cannot hold together:
/// each list becomes a struct with one field a name.
fn check_names(model: &Model, file: &FileDescriptor, rule: &DeployableRule, report: &mut Report) {
    let service = |name: &str| model.service(name).is_some();
    let event = |name: &str| model.event(name).is_some();
    let workflow = |name: &str| model.workflow_service(name).is_some();
    let handled: Vec<_> = rule.handles.iter().map(|handler| handler.event.clone()).collect();
    type Exists<'a> = &'a dyn Fn(&str) -> bool;
    let lists: [(&str, &str, &[String], Exists<'_>); 6] = [
        ("serves", "service", &rule.serves, &service),
        ("calls", "service", &rule.calls, &service),
        ("publishes", "event", &rule.publishes, &event),
        ("handles", "event", &handled, &event),
        ("runs", "workflow service", &rule.runs, &workflow),
        ("starts", "workflow service", &rule.starts, &workflow),
    ];
    for (list, kind, names, exists) in lists {
        let mut fields: BTreeMap<String, &String> = BTreeMap::new();
        for name in names {
            if !exists(name) {
                let message = format!("{} {list} `{name}`, which is no {kind}", rule.name);
                refuse(report, file, message, "Give the full name, with the package.");
                continue;
            }
            let last = name.rsplit('.').next().unwrap_or_default();
            // As the emitter of ports names its fields.
            let last = last.strip_suffix("Service").unwrap_or(last);
            match fields.insert(last.to_snake_case(), name) {
                Some(other) if other == name => {
                    let message = format!("{} {list} {name} twice", rule.name);
                    refuse(report, file, message, "Name it once.");
                }
                Some(other) => {
                    let message =
                        format!("{} {list} {other} and {name}, which become one field", rule.name);
                    refuse(report, file, message, "Rename one of them.");
                }
                None => {}
            }
        }
    }
}

/// What is wrong, and what to do about it.
type Mistake = (String, &'static str);

fn handle(model: &Model, rule: &DeployableRule, handler: &HandlerRule) -> Result<Handler, Mistake> {
    let wrong = |message: &str, advice| Err((message.to_owned(), advice));
    let Some(max_deliver) = u32::try_from(handler.max_deliver).ok().filter(|max| *max > 0) else {
        return wrong("max_deliver is missing", "Say after how many deliveries to give up.");
    };
    if handler.backoff.len() >= max_deliver as usize {
        let message =
            format!("{} waits do not fit {max_deliver} deliveries", handler.backoff.len());
        return Err((message, "Make backoff shorter than max_deliver."));
    }
    let ack_wait = handler.ack_wait.unwrap_or(ACK_WAIT);
    if ack_wait < Duration::from_secs(1) {
        return wrong("ack_wait is below a second", "Give the handler time to work.");
    }
    let Ok(concurrency) = u32::try_from(handler.concurrency) else {
        return wrong("concurrency is negative", "Use 1 or more.");
    };
    // A handler of what is no event is refused elsewhere.
    let ordered_by = match model.event(&handler.event) {
        Some((_, event)) => ordered_by(event, &handler.ordered_by)?,
        None => Vec::new(),
    };
    Ok(Handler {
        event: handler.event.clone(),
        durable: durable(&rule.name, &handler.event),
        concurrency: concurrency.max(1),
        ack_wait,
        max_deliver,
        backoff: handler.backoff.clone(),
        ack: acknowledgement(&handler.ack)?,
        ordered_by,
    })
}

fn acknowledgement(name: &str) -> Result<Acknowledgement, Mistake> {
    match name {
        "" | "ACKNOWLEDGEMENT_UNSPECIFIED" | "ACKNOWLEDGEMENT_CONFIRMED" => {
            Ok(Acknowledgement::Confirmed)
        }
        "ACKNOWLEDGEMENT_UNCONFIRMED" => Ok(Acknowledgement::Unconfirmed),
        other => {
            let advice = "Use ACKNOWLEDGEMENT_CONFIRMED or ACKNOWLEDGEMENT_UNCONFIRMED.";
            Err((format!("ack {other} is not known"), advice))
        }
    }
}

/// Finds the fields of a key in the event's subject: there the broker and the runtime see
/// them without reading the message, also when it cannot be read.
fn ordered_by(event: &Event, fields: &[String]) -> Result<Vec<KeyToken>, Mistake> {
    let mut tokens = Vec::new();
    for field in fields {
        let Some(token) = token_of(event, field) else {
            let message = format!("ordered_by names `{field}`, which its subject does not hold");
            return Err((message, "Name fields that stand in the subject of the event."));
        };
        if tokens.iter().any(|known: &KeyToken| known.field == *field) {
            return Err((format!("ordered_by names `{field}` twice"), "Name it once."));
        }
        tokens.push(KeyToken { field: field.clone(), token });
    }
    Ok(tokens)
}

/// Which token of the subject a field is: each is one of its own.
fn token_of(event: &Event, field: &str) -> Option<usize> {
    let mut token = 0;
    for part in &event.subject {
        match part {
            Part::Literal(text) => token += text.matches('.').count(),
            Part::Field { name, .. } if name == field => return Some(token),
            Part::Field { .. } => {}
        }
    }
    None
}

/// Service name and message full name; a durable may not hold dots.
fn durable(deployable: &str, event: &str) -> String {
    format!("{deployable}-{}", event.replace('.', "-"))
}
