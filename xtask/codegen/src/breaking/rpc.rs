//! RPCs: who may call, for how long, and what a call may be relied on for.

use super::rules::{
    HTTP_STATUS_CHANGED, RPC_ACCESS_NARROWED, RPC_DEADLINE_SHORTENED, RPC_IDEMPOTENCY_KEY_CHANGED,
    RPC_IDEMPOTENCY_WEAKENED, RPC_PAGINATION_REMOVED, RPC_REMOVED, RPC_RETRY_REDUCED,
    RPC_STREAMING_CHANGED, SERVICE_REMOVED,
};
use super::{Findings, seconds};
use crate::model::{Access, Idempotency, Method, Model};

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    for service in old.packages.iter().flat_map(|package| &package.services) {
        let Some((_, now)) = new.service(&service.full_name) else {
            let message = format!("service {} is gone", service.name);
            findings.add(SERVICE_REMOVED, &service.full_name, message);
            continue;
        };
        for method in &service.methods {
            let element = format!("{}.{}", service.full_name, method.name);
            match now.methods.iter().find(|now| now.name == method.name) {
                Some(now) => compare_methods(method, now, &element, findings),
                None => {
                    let message = format!("RPC {} is gone", method.name);
                    findings.add(RPC_REMOVED, &element, message);
                }
            }
        }
    }
}

fn compare_methods(old: &Method, new: &Method, element: &str, findings: &mut Findings) {
    let (was, is) = (shape(old), shape(new));
    if was != is {
        findings.add(RPC_STREAMING_CHANGED, element, format!("it was {was}, is {is}"));
    }
    if !old.access.iter().all(|group| admits(&new.access, group)) {
        let message = format!("it admitted {}, admits {}", groups(old), groups(new));
        findings.add(RPC_ACCESS_NARROWED, element, message);
    }
    if new.deadline < old.deadline {
        let message =
            format!("its deadline was {}, is {}", seconds(old.deadline), seconds(new.deadline));
        findings.add(RPC_DEADLINE_SHORTENED, element, message);
    }
    compare_repeats(old, new, element, findings);
    if old.page.is_some() && new.page.is_none() {
        let message = "it answered page by page (AIP-158), no longer does";
        findings.add(RPC_PAGINATION_REMOVED, element, message);
    }
    // A status is HTTP's: without routes nobody sees it.
    if old.success_status != new.success_status && !old.routes.is_empty() {
        let message = format!("success was {}, is {}", old.success_status, new.success_status);
        findings.add(HTTP_STATUS_CHANGED, element, message);
    }
}

/// What callers may do about a call of which they do not know whether it was heard.
fn compare_repeats(old: &Method, new: &Method, element: &str, findings: &mut Findings) {
    if strength(new.idempotency) < strength(old.idempotency) {
        let message = format!("it was {}, is {}", level(old.idempotency), level(new.idempotency));
        findings.add(RPC_IDEMPOTENCY_WEAKENED, element, message);
    }
    if let Some(key) = &old.idempotency_key
        && new.idempotency_key.as_ref() != Some(key)
    {
        let is = new.idempotency_key.as_ref().map_or("gone".to_owned(), |key| format!("`{key}`"));
        findings.add(
            RPC_IDEMPOTENCY_KEY_CHANGED,
            element,
            format!("its idempotency key was `{key}`, is {is}"),
        );
    }
    let attempts = |method: &Method| method.retry.map_or(1, |retry| retry.max_attempts);
    if attempts(new) < attempts(old) {
        let message = format!("clients made {} attempts, make {}", attempts(old), attempts(new));
        findings.add(RPC_RETRY_REDUCED, element, message);
    }
}

/// Whether a rule still admits everybody of a group.
fn admits(access: &[Access], group: &Access) -> bool {
    access.iter().any(|admitted| match (admitted, group) {
        (Access::Public, _) | (Access::Operators, Access::Operators) => true,
        // Which deployables call is theirs to say: one that no longer does is not shut out.
        (Access::Callers(_), Access::Callers(_)) => true,
        _ => false,
    })
}

fn groups(method: &Method) -> String {
    let name = |group: &Access| match group {
        Access::Public => "everybody",
        Access::Callers(_) => "callers",
        Access::Operators => "operators",
    };
    let names: Vec<_> = method.access.iter().map(name).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(" and ") }
}

fn shape(method: &Method) -> &'static str {
    match (method.client_streaming, method.server_streaming) {
        (false, false) => "unary",
        (false, true) => "server streaming",
        (true, false) => "client streaming",
        (true, true) => "streaming both ways",
    }
}

/// How much a level promises.
fn strength(level: Idempotency) -> u8 {
    match level {
        Idempotency::Unknown => 0,
        Idempotency::Idempotent => 1,
        Idempotency::NoSideEffects => 2,
    }
}

fn level(level: Idempotency) -> &'static str {
    match level {
        Idempotency::Unknown => "without a level",
        Idempotency::Idempotent => "IDEMPOTENT",
        Idempotency::NoSideEffects => "NO_SIDE_EFFECTS",
    }
}
