//! Deployables: what they answer, and the durable consumers that are theirs.

use super::Findings;
use super::rules::{
    DEPLOYABLE_REMOVED, HANDLER_DURABLE_CHANGED, HANDLER_MAX_DELIVER_LOWERED, HANDLER_REMOVED,
    SERVICE_SERVER_CHANGED, SERVICE_UNSERVED, WORKFLOWS_NOT_RUN,
};
use crate::model::{Deployable, Model};

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    for deployable in &old.deployables {
        let element = format!("deployable:{}", deployable.name);
        match new.deployables.iter().find(|candidate| candidate.name == deployable.name) {
            Some(now) => compare_handlers(deployable, now, new, &element, findings),
            None => {
                let message = format!("deployable `{}` is gone", deployable.name);
                findings.add(DEPLOYABLE_REMOVED, &element, message);
            }
        }
    }
    compare_servers(old, new, findings);
    compare_runners(old, new, findings);
}

fn compare_servers(old: &Model, new: &Model, findings: &mut Findings) {
    for service in old.packages.iter().flat_map(|package| &package.services) {
        let name = &service.full_name;
        // That the service itself is gone is told by a rule of its own.
        if new.service(name).is_none() {
            continue;
        }
        match (server(old, name), server(new, name)) {
            (Some(was), None) => {
                let message = format!("`{was}` answered it, no deployable does");
                findings.add(SERVICE_UNSERVED, name, message);
            }
            (Some(was), Some(is)) if was != is => {
                let message = format!("`{was}` answered it, `{is}` does");
                findings.add(SERVICE_SERVER_CHANGED, name, message);
            }
            _ => {}
        }
    }
}

fn server<'a>(model: &'a Model, service: &str) -> Option<&'a str> {
    let serves = |deployable: &&Deployable| deployable.serves.iter().any(|name| name == service);
    model.deployables.iter().find(serves).map(|deployable| deployable.name.as_str())
}

fn compare_runners(old: &Model, new: &Model, findings: &mut Findings) {
    for service in old.packages.iter().flat_map(|package| &package.workflows) {
        let name = &service.full_name;
        let is_run = |model: &Model| {
            model.deployables.iter().any(|deployable| deployable.runs.contains(name))
        };
        if new.workflow_service(name).is_some() && is_run(old) && !is_run(new) {
            let message = format!("no deployable works on task queue `{}`", service.task_queue);
            findings.add(WORKFLOWS_NOT_RUN, name, message);
        }
    }
}

fn compare_handlers(
    old: &Deployable,
    new: &Deployable,
    model: &Model,
    element: &str,
    findings: &mut Findings,
) {
    for handler in &old.handles {
        let element = format!("{element}/{}", handler.event);
        let Some(now) = new.handles.iter().find(|now| now.event == handler.event) else {
            // Without the event there is nothing left to handle, which is told elsewhere.
            if model.event(&handler.event).is_some() {
                let message = format!("`{}` no longer handles {}", old.name, handler.event);
                findings.add(HANDLER_REMOVED, &element, message);
            }
            continue;
        };
        if handler.durable != now.durable {
            let message = format!("its durable was `{}`, is `{}`", handler.durable, now.durable);
            findings.add(HANDLER_DURABLE_CHANGED, &element, message);
        }
        if now.max_deliver < handler.max_deliver {
            let message =
                format!("max_deliver was {}, is {}", handler.max_deliver, now.max_deliver);
            findings.add(HANDLER_MAX_DELIVER_LOWERED, &element, message);
        }
    }
}
