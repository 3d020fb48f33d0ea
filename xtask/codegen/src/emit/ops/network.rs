//! Who talks to whom: what network policies must let through, and why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::json;
use crate::File;
use crate::model::{Access, Deployable, Model};

#[derive(Serialize)]
struct Network<'a> {
    /// Flows by their beginning, their end and their protocol.
    flows: Vec<Flow<'a>>,
}

#[derive(Serialize)]
struct Flow<'a> {
    /// A deployable, or `outside`.
    from: &'a str,
    /// A deployable, `nats` or `temporal`.
    to: &'a str,
    /// `grpc`, `http`, `nats` or `temporal`.
    protocol: &'a str,
    /// Services, events or workflow services that need it.
    because: Vec<&'a str>,
}

/// Beginning, end and protocol.
pub(super) type Ends<'a> = (&'a str, &'a str, &'a str);

/// Writes `ops/network.json`.
pub(super) fn emit(model: &Model) -> File {
    let flows = flows(model).into_iter().map(|((from, to, protocol), mut because)| {
        because.sort_unstable();
        because.dedup();
        Flow { from, to, protocol, because }
    });
    json("network.json", &Network { flows: flows.collect() })
}

/// All flows, each with what needs it.
pub(super) fn flows(model: &Model) -> BTreeMap<Ends<'_>, Vec<&str>> {
    let mut flows = BTreeMap::new();
    for deployable in &model.deployables {
        collect(model, deployable, &mut flows);
    }
    flows
}

fn collect<'a>(
    model: &'a Model,
    deployable: &'a Deployable,
    flows: &mut BTreeMap<Ends<'a>, Vec<&'a str>>,
) {
    let name = deployable.name.as_str();
    let mut add = |ends, because| flows.entry(ends).or_default().push(because);
    for call in &deployable.calls {
        add((name, call.server.as_str(), "grpc"), call.service.as_str());
    }
    let handled = deployable.handles.iter().map(|handler| &handler.event);
    for event in deployable.publishes.iter().chain(handled) {
        add((name, "nats", "nats"), event.as_str());
    }
    for service in deployable.runs.iter().chain(&deployable.starts) {
        add((name, "temporal", "temporal"), service.as_str());
    }
    for (_, service) in deployable.serves.iter().filter_map(|name| model.service(name)) {
        let open = |access: &Access| matches!(access, Access::Public | Access::Operators);
        let mut open = service.methods.iter().filter(|method| method.access.iter().any(open));
        if open.any(|method| !method.routes.is_empty()) {
            add(("outside", name, "http"), service.full_name.as_str());
        }
    }
}
