//! Deployable services: that what they are granted exists, and is answered.

use std::collections::BTreeMap;
use std::time::Duration;

use prost_reflect::FileDescriptor;

use super::options::{DeployableRule, HandlerRule, extension};
use super::source::{Report, comment};
use super::{names, path};
use crate::load::Contracts;
use crate::model::{Call, Deployable, Handler, Model};

const ADVICE: &str = "See treaty/v1/deployable.proto.";

/// Deliveries are repeated after this long when the contract does not say.
const ACK_WAIT: Duration = Duration::from_secs(30);

pub(super) fn lower(
    model: &mut Model,
    files: &[FileDescriptor],
    contracts: &Contracts,
    report: &mut Report,
) {
    let mut declared: Vec<(&FileDescriptor, DeployableRule)> = Vec::new();
    for file in files {
        match extension::<DeployableRule>(&contracts.pool, &file.options(), "treaty.v1.deployable") {
            Ok(None) => {}
            Ok(Some(rule)) if names::is_safe(&rule.name, '-') => declared.push((file, rule)),
            Ok(Some(rule)) => refuse(
                report,
                file,
                format!("deployable name `{}` is not usable", rule.name),
                "Use lower-case letters, digits and hyphens, starting with a letter.",
            ),
            Err(message) => refuse(report, file, message, ADVICE),
        }
    }
    let mut servers: BTreeMap<String, String> = BTreeMap::new();
    for (file, rule) in &declared {
        for service in &rule.serves {
            if let Some(other) = servers.insert(service.clone(), rule.name.clone()) {
                let message = format!("{service} is served by {other} and by {}", rule.name);
                refuse(report, file, message, "Let one deployable serve it.");
            }
        }
    }
    let mut deployables: Vec<_> = declared
        .iter()
        .map(|(file, rule)| deployable(model, file, rule, &servers, report))
        .collect();
    deployables.sort_by(|a, b| a.name.cmp(&b.name));
    for pair in deployables.windows(2) {
        if pair[0].name == pair[1].name
            && let Some((file, _)) = declared.iter().find(|(_, rule)| rule.name == pair[0].name)
        {
            let message = format!("deployable `{}` is declared twice", pair[0].name);
            refuse(report, file, message, "Keep one declaration.");
        }
    }
    model.deployables = deployables;
}

fn refuse(report: &mut Report, file: &FileDescriptor, message: String, advice: &str) {
    report.add(file, &[path::FILE_OPTIONS], message, advice);
}

fn deployable(
    model: &Model,
    file: &FileDescriptor,
    rule: &DeployableRule,
    servers: &BTreeMap<String, String>,
    report: &mut Report,
) -> Deployable {
    let mut known = |kind: &str, name: &str, exists: bool| {
        if !exists {
            let message = format!("{} names {kind} `{name}`, which does not exist", rule.name);
            refuse(report, file, message, "Give its full name, with the package.");
        }
    };
    for name in rule.serves.iter().chain(&rule.calls) {
        known("service", name, model.service(name).is_some());
    }
    for name in rule.publishes.iter().chain(rule.handles.iter().map(|handler| &handler.event)) {
        known("event", name, model.event(name).is_some());
    }
    for name in rule.runs.iter().chain(&rule.starts) {
        known("workflow service", name, model.workflow_service(name).is_some());
    }
    let mut calls = Vec::new();
    for service in &rule.calls {
        match servers.get(service) {
            Some(server) => {
                calls.push(Call { service: service.clone(), server: server.clone() });
            }
            None => refuse(
                report,
                file,
                format!("{} calls {service}, which no deployable serves", rule.name),
                "Add it to `serves` of the deployable that answers it.",
            ),
        }
    }
    let handles =
        rule.handles.iter().filter_map(|handler| handle(rule, handler, file, report)).collect();
    Deployable {
        name: rule.name.clone(),
        crate_name: format!("{}-port", rule.name),
        comment: comment(file, &[path::FILE_OPTIONS, DEPLOYABLE_EXTENSION]),
        serves: rule.serves.clone(),
        calls,
        publishes: rule.publishes.clone(),
        handles,
        runs: rule.runs.clone(),
        starts: rule.starts.clone(),
    }
}

/// Number of the extension `treaty.v1.deployable`, which positions are made of.
const DEPLOYABLE_EXTENSION: i32 = 88131;

fn handle(
    rule: &DeployableRule,
    handler: &HandlerRule,
    file: &FileDescriptor,
    report: &mut Report,
) -> Option<Handler> {
    let mut wrong = |message: String, advice: &str| {
        refuse(report, file, format!("handler of {}: {message}", handler.event), advice);
        None
    };
    let Some(max_deliver) = u32::try_from(handler.max_deliver).ok().filter(|max| *max > 0) else {
        return wrong("max_deliver is missing".into(), "Say after how many deliveries to give up.");
    };
    if handler.backoff.len() >= max_deliver as usize {
        let message = format!(
            "{} waits do not fit {max_deliver} deliveries",
            handler.backoff.len()
        );
        return wrong(message, "Make backoff shorter than max_deliver.");
    }
    let ack_wait = handler.ack_wait.unwrap_or(ACK_WAIT);
    if ack_wait < Duration::from_secs(1) {
        return wrong("ack_wait is below a second".into(), "Give the handler time to work.");
    }
    let Ok(concurrency) = u32::try_from(handler.concurrency) else {
        return wrong("concurrency is negative".into(), "Use 1 or more.");
    };
    Some(Handler {
        event: handler.event.clone(),
        durable: durable(&rule.name, &handler.event),
        concurrency: concurrency.max(1),
        ack_wait,
        max_deliver,
        backoff: handler.backoff.clone(),
    })
}

/// Service name and message full name; a durable may not hold dots.
fn durable(deployable: &str, event: &str) -> String {
    format!("{deployable}-{}", event.replace('.', "-"))
}
