//! Temporal: names, task queues and limits.

use std::time::Duration;

use super::events::text;
use super::rules::{
    ACTIVITY_ATTEMPTS_LOWERED, ACTIVITY_REMOVED, ACTIVITY_TIMEOUT_SHORTENED,
    SEARCH_ATTRIBUTE_CHANGED, TASK_QUEUE_CHANGED, WORKFLOW_ID_CHANGED, WORKFLOW_REMOVED,
    WORKFLOW_SERVICE_REMOVED, WORKFLOW_TIMEOUT_SHORTENED,
};
use super::{Findings, Rule, is_lowered, limit};
use crate::model::{Activity, Model, Workflow, WorkflowService};

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    for service in old.packages.iter().flat_map(|package| &package.workflows) {
        match new.workflow_service(&service.full_name) {
            Some((_, now)) => compare_services(service, now, findings),
            None => {
                let message =
                    format!("nothing is declared for task queue `{}` any more", service.task_queue);
                findings.add(WORKFLOW_SERVICE_REMOVED, &service.full_name, message);
            }
        }
    }
}

fn compare_services(old: &WorkflowService, new: &WorkflowService, findings: &mut Findings) {
    if old.task_queue != new.task_queue {
        let message = format!("its task queue was `{}`, is `{}`", old.task_queue, new.task_queue);
        findings.add(TASK_QUEUE_CHANGED, &old.full_name, message);
    }
    for workflow in &old.workflows {
        let element = format!("{}.{}", old.full_name, workflow.name);
        match new.workflows.iter().find(|now| now.name == workflow.name) {
            Some(now) => compare_workflows(workflow, now, &element, findings),
            None => {
                let message = format!("workflow {} is gone", workflow.name);
                findings.add(WORKFLOW_REMOVED, &element, message);
            }
        }
    }
    for activity in &old.activities {
        let element = format!("{}.{}", old.full_name, activity.name);
        match new.activities.iter().find(|now| now.name == activity.name) {
            Some(now) => compare_activities(activity, now, &element, findings),
            None => {
                let message = format!("activity {} is gone", activity.name);
                findings.add(ACTIVITY_REMOVED, &element, message);
            }
        }
    }
}

fn compare_workflows(old: &Workflow, new: &Workflow, element: &str, findings: &mut Findings) {
    let limits = [
        ("execution_timeout", old.execution_timeout, new.execution_timeout),
        ("run_timeout", old.run_timeout, new.run_timeout),
    ];
    compare_limits(WORKFLOW_TIMEOUT_SHORTENED, limits, element, findings);
    let (was, is) = (text(&old.workflow_id), text(&new.workflow_id));
    if was != is {
        let id = |text: &str| {
            if text.is_empty() { "the starter's".to_owned() } else { format!("`{text}`") }
        };
        let message = format!("its id was {}, is {}", id(&was), id(&is));
        findings.add(WORKFLOW_ID_CHANGED, element, message);
    }
    for attribute in &old.search_attributes {
        let name = &attribute.name;
        let message = match new.search_attributes.iter().find(|now| now.name == *name) {
            Some(now) if now == attribute => continue,
            Some(now) if now.kind != attribute.kind => {
                format!("search attribute `{name}` was {}, is {}", attribute.kind, now.kind)
            }
            Some(_) => format!("search attribute `{name}` is set to something else"),
            None => format!("search attribute `{name}` is gone"),
        };
        findings.add(SEARCH_ATTRIBUTE_CHANGED, element, message);
    }
}

fn compare_activities(old: &Activity, new: &Activity, element: &str, findings: &mut Findings) {
    let limits = [
        ("start_to_close", Some(old.start_to_close), Some(new.start_to_close)),
        ("heartbeat", old.heartbeat, new.heartbeat),
        ("schedule_to_close", old.schedule_to_close, new.schedule_to_close),
    ];
    compare_limits(ACTIVITY_TIMEOUT_SHORTENED, limits, element, findings);
    let attempts = |count: u32| (count > 0).then_some(count);
    let (was, is) = (old.retry.maximum_attempts, new.retry.maximum_attempts);
    if is_lowered(attempts(was), attempts(is)) {
        let was = attempts(was).map_or_else(|| "unlimited".to_owned(), |count| count.to_string());
        findings.add(
            ACTIVITY_ATTEMPTS_LOWERED,
            element,
            format!("maximum_attempts was {was}, is {is}"),
        );
    }
}

fn compare_limits<const N: usize>(
    rule: &'static Rule,
    limits: [(&str, Option<Duration>, Option<Duration>); N],
    element: &str,
    findings: &mut Findings,
) {
    for (name, old, new) in limits {
        if is_lowered(old, new) {
            let message = format!("{name} was {}, is {}", limit(old), limit(new));
            findings.add(rule, element, message);
        }
    }
}
