//! Services that are answered over a network.

use std::time::Duration;

use prost_reflect::{FileDescriptor, MethodDescriptor, ServiceDescriptor};

use super::messages::is_set;
use super::options::{self, ACTIVITY, METHOD, MethodRule, WORKFLOW, extension};
use super::source::{Report, comment};
use super::{Context, Settings, names, routes, semantics};
use crate::model::{Access, Layout, Method, Model, Service};

/// The deadline of an RPC whose contract declares none.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// The same for one that streams, whose deadline covers the whole stream: the age at
/// which a server asks connections to close, so that no stream keeps one open for ever.
const DEFAULT_STREAM_DEADLINE: Duration = Duration::from_secs(300);

/// Functions that tonic's clients, and the adapters around them, have anyway; an RPC of
/// such a name gets `_` behind it.
const RESERVED: [&str; 8] = [
    "accept_compressed",
    "clone",
    "max_decoding_message_size",
    "max_encoding_message_size",
    "new",
    "send_compressed",
    "with_interceptor",
    "with_origin",
];

pub(super) fn lower(
    context: Context<'_>,
    file: &FileDescriptor,
    service: &ServiceDescriptor,
    report: &mut Report,
) -> Service {
    Service {
        name: names::upper(service.name()),
        full_name: service.full_name().to_owned(),
        module: names::snake(service.name()),
        comment: comment(file, service.path()),
        deprecated: is_set(&service.options(), "deprecated"),
        methods: service
            .methods()
            .filter_map(|method| lower_method(context, file, &method, report))
            .collect(),
    }
}

fn lower_method(
    context: Context<'_>,
    file: &FileDescriptor,
    method: &MethodDescriptor,
    report: &mut Report,
) -> Option<Method> {
    let contracts = context.contracts;
    let options = method.options();
    let idempotency = semantics::idempotency(&options);
    for rule in [WORKFLOW, ACTIVITY] {
        if options::is_set(&contracts.pool, &options, rule) {
            let message = format!("option ({}) outside of a workflow service", rule.name);
            let advice = "Give the service a task queue: option (treaty.v1.workflows) = …;";
            report.add(file, &rule.on(method.path()), message, advice);
        }
    }
    let rule = match extension(&contracts.pool, &options, METHOD) {
        Ok(rule) => rule.unwrap_or_default(),
        Err(message) => {
            let advice = "See treaty/v1/method.proto.";
            report.add(file, &METHOD.on(method.path()), message, advice);
            return None;
        }
    };
    Some(Method {
        name: method.name().to_owned(),
        rust_name: rust_name(method),
        comment: comment(file, method.path()),
        deprecated: is_set(&options, "deprecated"),
        input: names::message_type(&method.input()),
        output: names::message_type(&method.output()),
        client_streaming: method.is_client_streaming(),
        server_streaming: method.is_server_streaming(),
        access: access(context.settings, file, method, &rule, report),
        deadline: deadline(file, method, &rule, report),
        idempotency,
        retry: semantics::retry(file, method, &rule, idempotency, report),
        idempotency_key: semantics::idempotency_key(file, method, &rule, report),
        page: semantics::page(method),
        success_status: semantics::success_status(file, method, &rule, report),
        routes: routes::lower(contracts, file, method, report),
    })
}

/// The name of the trait's function.
pub(super) fn rust_name(method: &MethodDescriptor) -> String {
    let name = names::snake(method.name());
    if RESERVED.contains(&name.as_str()) { format!("{name}_") } else { name }
}

fn access(
    settings: Settings,
    file: &FileDescriptor,
    method: &MethodDescriptor,
    rule: &MethodRule,
    report: &mut Report,
) -> Vec<Access> {
    if rule.access.is_empty() && settings.allow_undeclared_access {
        return vec![Access::Public];
    }
    if rule.access.is_empty() {
        let message = format!("RPC {} has no access rule", method.full_name());
        let advice = "Say who may call it: option (treaty.v1.method) = {access: [ACCESS_CALLERS]};";
        let advice = match settings.layout {
            Layout::Crates => advice.to_owned(),
            Layout::Modules => format!(
                "{advice} Where you cannot, --allow-undeclared-access opens every such RPC to \
                 anybody."
            ),
        };
        report.add(file, method.path(), message, advice);
    }
    let place = METHOD.on(method.path());
    let mut groups = Vec::new();
    for name in &rule.access {
        let group = match name.as_str() {
            "ACCESS_PUBLIC" => Access::Public,
            "ACCESS_CALLERS" => Access::Callers(Vec::new()),
            "ACCESS_OPERATORS" => Access::Operators,
            other => {
                let advice = "Use ACCESS_PUBLIC, ACCESS_CALLERS or ACCESS_OPERATORS.";
                report.add(file, &place, format!("{other} admits nobody"), advice);
                continue;
            }
        };
        if groups.contains(&group) {
            report.add(file, &place, format!("{name} is given twice"), "Keep one.");
        }
        groups.push(group);
    }
    if groups.contains(&Access::Public) && groups.len() > 1 {
        let advice = "Keep ACCESS_PUBLIC alone, or take it out.";
        report.add(file, &place, "ACCESS_PUBLIC makes the other groups idle", advice);
    }
    groups
}

fn deadline(
    file: &FileDescriptor,
    method: &MethodDescriptor,
    rule: &MethodRule,
    report: &mut Report,
) -> Duration {
    let is_streaming = method.is_client_streaming() || method.is_server_streaming();
    let default = if is_streaming { DEFAULT_STREAM_DEADLINE } else { DEFAULT_DEADLINE };
    let deadline = rule.deadline.unwrap_or(default);
    if deadline.is_zero() {
        let advice = "Give it a positive duration, or leave it out for the usual one.";
        let place = METHOD.on(method.path());
        report.add(file, &place, "a deadline of 0 fails every call", advice);
    }
    deadline
}

/// Fills in who the callers are: the deployables that declare a call.
pub(super) fn resolve_callers(model: &mut Model) {
    let deployables = model.deployables.clone();
    for service in model.packages.iter_mut().flat_map(|package| &mut package.services) {
        let callers: Vec<_> = deployables
            .iter()
            .filter(|deployable| {
                deployable.calls.iter().any(|call| call.service == service.full_name)
            })
            .map(|deployable| deployable.name.clone())
            .collect();
        for access in service.methods.iter_mut().flat_map(|method| &mut method.access) {
            if let Access::Callers(names) = access {
                names.clone_from(&callers);
            }
        }
    }
}
