//! Services that are Temporal workflows and activities.

use std::time::Duration;

use prost_reflect::{FileDescriptor, MethodDescriptor, ServiceDescriptor};

use super::options::{
    ACTIVITY, ActivityRule, HTTP, METHOD, RetryPolicy, Rule, WORKFLOW, WORKFLOWS, WorkflowRule,
    WorkflowsRule, extension, is_set,
};
use super::source::{Report, comment};
use super::{names, search};
use crate::load::Contracts;
use crate::model::{Activity, Retry, Workflow, WorkflowService};

const ADVICE: &str = "See treaty/v1/workflow.proto.";

/// Whether the service declares a task queue.
pub(super) fn is_workflow_service(contracts: &Contracts, service: &ServiceDescriptor) -> bool {
    is_set(&contracts.pool, &service.options(), WORKFLOWS)
}

pub(super) fn lower(
    contracts: &Contracts,
    file: &FileDescriptor,
    service: &ServiceDescriptor,
    report: &mut Report,
) -> WorkflowService {
    let place = WORKFLOWS.on(service.path());
    let rule: WorkflowsRule = extension(&contracts.pool, &service.options(), WORKFLOWS)
        .unwrap_or_else(|message| {
            report.add(file, &place, message, ADVICE);
            None
        })
        .unwrap_or_default();
    if rule.task_queue.is_empty() {
        let advice = "Add task_queue: \"orders\" to option (treaty.v1.workflows).";
        report.add(file, &place, "the workflow service has no task queue", advice);
    }
    let mut lowered = WorkflowService {
        name: service.name().to_owned(),
        full_name: service.full_name().to_owned(),
        module: names::snake(service.name()),
        comment: comment(file, service.path()),
        task_queue: rule.task_queue,
        workflows: Vec::new(),
        activities: Vec::new(),
    };
    for method in service.methods() {
        if method.is_client_streaming() || method.is_server_streaming() {
            let advice = "Take `stream` out: a workflow has one argument and one result.";
            report.add(file, method.path(), "a workflow or activity cannot stream", advice);
        }
        if let Err((place, message)) = lower_method(contracts, file, &method, &mut lowered) {
            report.add(file, &place, message, ADVICE);
        }
    }
    lowered
}

fn lower_method(
    contracts: &Contracts,
    file: &FileDescriptor,
    method: &MethodDescriptor,
    service: &mut WorkflowService,
) -> Result<(), (Vec<i32>, String)> {
    let options = method.options();
    for rule in [METHOD, HTTP] {
        if is_set(&contracts.pool, &options, rule) {
            let message = format!("option ({}) means nothing to a workflow or activity", rule.name);
            return Err((rule.on(method.path()), message));
        }
    }
    let at = |rule: Rule| move |message: String| (rule.on(method.path()), message);
    let workflow: Option<WorkflowRule> =
        extension(&contracts.pool, &options, WORKFLOW).map_err(at(WORKFLOW))?;
    let activity: Option<ActivityRule> =
        extension(&contracts.pool, &options, ACTIVITY).map_err(at(ACTIVITY))?;
    let (name, comment) = (method.name().to_owned(), comment(file, method.path()));
    let (input, output) =
        (names::message_type(&method.input()), names::message_type(&method.output()));
    match (workflow, activity) {
        (Some(rule), None) => service.workflows.push(Workflow {
            name,
            comment,
            input,
            output,
            execution_timeout: rule.execution_timeout,
            run_timeout: rule.run_timeout,
            workflow_id: search::workflow_id(&rule.workflow_id, &method.input())
                .map_err(at(WORKFLOW))?,
            search_attributes: search::attributes(rule.search_attributes, &method.input())
                .map_err(at(WORKFLOW))?,
        }),
        (None, Some(rule)) => service.activities.push(Activity {
            name,
            comment,
            input,
            output,
            start_to_close: rule.start_to_close.filter(|limit| !limit.is_zero()).ok_or_else(
                || at(ACTIVITY)("an activity needs a positive start_to_close".to_owned()),
            )?,
            heartbeat: rule.heartbeat,
            schedule_to_close: rule.schedule_to_close,
            retry: retry(&rule.retry).map_err(at(ACTIVITY))?,
        }),
        _ => {
            let message =
                format!("{} must be either a workflow or an activity", method.full_name());
            return Err((method.path().to_vec(), message));
        }
    }
    Ok(())
}

/// Fills in Temporal's documented defaults.
fn retry(policy: &RetryPolicy) -> Result<Retry, String> {
    let coefficient = policy.backoff_coefficient;
    if coefficient != 0.0 && coefficient < 1.0 {
        return Err("backoff_coefficient must be at least 1".to_owned());
    }
    Ok(Retry {
        initial_interval: policy.initial_interval.unwrap_or(Duration::from_secs(1)),
        backoff_coefficient: if coefficient == 0.0 { 2.0 } else { coefficient },
        maximum_interval: policy.maximum_interval,
        maximum_attempts: u32::try_from(policy.maximum_attempts)
            .map_err(|_| "maximum_attempts must not be negative".to_owned())?,
    })
}
