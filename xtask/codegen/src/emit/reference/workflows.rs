//! Temporal workflows and activities.

use super::html::{code, code_link, comment, facts, heading, inline_list, link, table};
use super::page::{Page, Site};
use super::{links, types};
use crate::emit::asyncapi::template;
use crate::emit::document::{Index, time};
use crate::model::{
    Activity, Deployable, Package, Retry, SearchAttribute, SearchSource, Workflow, WorkflowService,
};

pub(super) fn page(site: &Site<'_>, index: &Index<'_>) -> String {
    let mut body = String::from(
        "<h1>Workflows</h1>\n<p class=\"lead\">What Temporal runs, on which task queue, and for \
         whom.</p>\n",
    );
    let services = index.model.packages.iter().flat_map(|package| &package.workflows);
    let rows: Vec<_> = services.map(|service| row(index, service)).collect();
    if rows.is_empty() {
        body.push_str("<p>No contract declares a workflow.</p>\n");
    }
    let head =
        ["Workflow service", "Task queue", "Workflows", "Activities", "Run by", "Started by"];
    body.push_str(&table(&head, &rows));
    site.render(&Page { path: "workflows.html", title: "Workflows", body })
}

fn row(index: &Index<'_>, service: &WorkflowService) -> Vec<String> {
    let linked = |name: &String| code_link(&links::method(&service.full_name, name), name);
    vec![
        code_link(&links::to(&service.full_name), &service.name),
        code(&service.task_queue),
        inline_list(service.workflows.iter().map(|one| linked(&one.name)).collect()),
        inline_list(service.activities.iter().map(|one| linked(&one.name)).collect()),
        deployables(index, "", |one| one.runs.contains(&service.full_name)),
        deployables(index, "", |one| one.starts.contains(&service.full_name)),
    ]
}

fn deployables(index: &Index<'_>, top: &str, is: impl Fn(&Deployable) -> bool) -> String {
    let found = index.model.deployables.iter().filter(|one| is(one));
    let links = found.map(|one| link(&format!("{top}{}", links::deployable(&one.name)), &one.name));
    inline_list(links.collect())
}

/// The part of a package's page about a workflow service.
pub(super) fn section(index: &Index<'_>, package: &Package, service: &WorkflowService) -> String {
    let mut out =
        heading(3, &service.name, &service.name, " <span class=\"kind\">workflows</span>");
    out.push_str(&comment(&service.comment));
    out.push_str(&facts(&[
        ("Task queue", code(&service.task_queue)),
        ("Run by", deployables(index, "../", |one| one.runs.contains(&service.full_name))),
        ("Started by", deployables(index, "../", |one| one.starts.contains(&service.full_name))),
    ]));
    for workflow in &service.workflows {
        out.push_str(&self::workflow(index, package, service, workflow));
    }
    for activity in &service.activities {
        out.push_str(&self::activity(index, package, service, activity));
    }
    out
}

fn workflow(
    index: &Index<'_>,
    package: &Package,
    service: &WorkflowService,
    workflow: &Workflow,
) -> String {
    let id = format!("{}.{}", service.name, workflow.name);
    let mut out = heading(4, &id, &workflow.name, " <span class=\"kind\">workflow</span>");
    let (input, output) = (&workflow.input, &workflow.output);
    out.push_str(&types::signature(
        index,
        package,
        &workflow.name,
        (input, false),
        (output, false),
    ));
    out.push_str(&comment(&workflow.comment));
    let limit = |limit: Option<std::time::Duration>| {
        limit.map_or_else(|| "unlimited".to_owned(), time::readable)
    };
    let mut list = vec![
        ("All runs together", limit(workflow.execution_timeout)),
        ("One run", limit(workflow.run_timeout)),
    ];
    if !workflow.workflow_id.is_empty() {
        list.push(("Workflow id", code(&template(&workflow.workflow_id))));
    }
    if !workflow.search_attributes.is_empty() {
        list.push(("Found by", found_by(&workflow.search_attributes)));
    }
    out.push_str(&facts(&list));
    out
}

fn found_by(attributes: &[SearchAttribute]) -> String {
    let one = |attribute: &SearchAttribute| {
        let source = match &attribute.source {
            SearchSource::Field { name, .. } => code(name),
            SearchSource::Value(value) => code(value),
        };
        format!("{} ({}): {source}", code(&attribute.name), attribute.kind)
    };
    inline_list(attributes.iter().map(one).collect())
}

fn activity(
    index: &Index<'_>,
    package: &Package,
    service: &WorkflowService,
    activity: &Activity,
) -> String {
    let id = format!("{}.{}", service.name, activity.name);
    let mut out = heading(4, &id, &activity.name, " <span class=\"kind\">activity</span>");
    let (input, output) = (&activity.input, &activity.output);
    out.push_str(&types::signature(
        index,
        package,
        &activity.name,
        (input, false),
        (output, false),
    ));
    out.push_str(&comment(&activity.comment));
    let mut list = vec![("One attempt", time::readable(activity.start_to_close))];
    if let Some(heartbeat) = activity.heartbeat {
        list.push(("Heartbeat", format!("at least every {}", time::readable(heartbeat))));
    }
    if let Some(all) = activity.schedule_to_close {
        list.push(("All attempts", time::readable(all)));
    }
    list.push(("Repeats", retry(&activity.retry)));
    out.push_str(&facts(&list));
    out
}

fn retry(retry: &Retry) -> String {
    let mut text = format!(
        "after {}, then {} times longer",
        time::readable(retry.initial_interval),
        retry.backoff_coefficient
    );
    if let Some(longest) = retry.maximum_interval {
        text.push_str(&format!(", up to {}", time::readable(longest)));
    }
    if retry.maximum_attempts > 0 {
        text.push_str(&format!("; {} attempts in all", retry.maximum_attempts));
    }
    text
}
