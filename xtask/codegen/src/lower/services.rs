//! Services that are answered over a network.

use std::time::Duration;

use heck::ToSnakeCase;
use prost_reflect::{FileDescriptor, MethodDescriptor, ServiceDescriptor};

use super::options::{MethodRule, extension};
use super::source::{Report, comment};
use super::{names, routes};
use crate::load::Contracts;
use crate::model::{Access, Method, Model, Service};

/// The deadline of an RPC whose contract declares none.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

pub(super) fn lower(
    contracts: &Contracts,
    file: &FileDescriptor,
    service: &ServiceDescriptor,
    report: &mut Report,
) -> Service {
    Service {
        name: service.name().to_owned(),
        full_name: service.full_name().to_owned(),
        module: service.name().to_snake_case(),
        comment: comment(file, service.path()),
        methods: service
            .methods()
            .filter_map(|method| lower_method(contracts, file, &method, report))
            .collect(),
    }
}

fn lower_method(
    contracts: &Contracts,
    file: &FileDescriptor,
    method: &MethodDescriptor,
    report: &mut Report,
) -> Option<Method> {
    if method.is_client_streaming() || method.is_server_streaming() {
        let advice = "Make it unary, with pages for long answers.";
        report.add(file, method.path(), "streaming RPCs cannot be generated yet", advice);
        return None;
    }
    let rule = match extension(&contracts.pool, &method.options(), "treaty.v1.method") {
        Ok(rule) => rule.unwrap_or_default(),
        Err(message) => {
            report.add(file, method.path(), message, "See treaty/v1/method.proto.");
            return None;
        }
    };
    Some(Method {
        name: method.name().to_owned(),
        rust_name: rust_name(file, method, report),
        comment: comment(file, method.path()),
        input: names::message_type(&method.input()),
        output: names::message_type(&method.output()),
        access: access(file, method, &rule, report),
        deadline: deadline(file, method, &rule, report),
        routes: routes::lower(contracts, file, method, report),
        bindings: routes::bindings(&method.input()),
    })
}

/// The name of the trait's function.
pub(super) fn rust_name(
    file: &FileDescriptor,
    method: &MethodDescriptor,
    report: &mut Report,
) -> String {
    let name = method.name().to_snake_case();
    if names::is_keyword(&name) {
        report.add(
            file,
            method.path(),
            format!("RPC `{}` becomes `{name}`, a keyword in Rust", method.name()),
            "Name what it acts on as well, for example `MoveAthlete` instead of `Move`.",
        );
    }
    name
}

fn access(
    file: &FileDescriptor,
    method: &MethodDescriptor,
    rule: &MethodRule,
    report: &mut Report,
) -> Vec<Access> {
    if rule.access.is_empty() {
        report.add(
            file,
            method.path(),
            format!("RPC {} has no access rule", method.full_name()),
            "Say who may call it: option (treaty.v1.method) = {access: [ACCESS_CALLERS]};",
        );
    }
    let mut groups = Vec::new();
    for name in &rule.access {
        match name.as_str() {
            "ACCESS_PUBLIC" => groups.push(Access::Public),
            "ACCESS_CALLERS" => groups.push(Access::Callers(Vec::new())),
            "ACCESS_OPERATORS" => groups.push(Access::Operators),
            other => report.add(
                file,
                method.path(),
                format!("{other} admits nobody"),
                "Use ACCESS_PUBLIC, ACCESS_CALLERS or ACCESS_OPERATORS.",
            ),
        }
    }
    if groups.contains(&Access::Public) && groups.len() > 1 {
        let advice = "Keep ACCESS_PUBLIC alone, or take it out.";
        report.add(file, method.path(), "ACCESS_PUBLIC makes the other groups idle", advice);
    }
    groups
}

fn deadline(
    file: &FileDescriptor,
    method: &MethodDescriptor,
    rule: &MethodRule,
    report: &mut Report,
) -> Duration {
    let deadline = rule.deadline.unwrap_or(DEFAULT_DEADLINE);
    if deadline.is_zero() {
        let advice = "Give it a positive duration, or leave it out for 10 seconds.";
        report.add(file, method.path(), "a deadline of 0 fails every call", advice);
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
