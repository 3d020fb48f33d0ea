//! What the chart of the services takes from the contracts: one values file of Helm's for
//! each deployable, so that no name of a stream or a consumer is written twice.

use std::time::Duration;

use serde::Serialize;

use super::{json, network};
use crate::File;
use crate::model::{Deployable, Model};

#[derive(Serialize)]
struct Values<'a> {
    contracts: Contracts<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contracts<'a> {
    /// The deployable's name.
    deployable: &'a str,
    /// Who may connect to it.
    callers: Vec<Peer<'a>>,
    /// Whom it connects to.
    calls: Vec<Peer<'a>>,
    /// Its durable consumers.
    handlers: Vec<Consumer<'a>>,
}

#[derive(Serialize)]
struct Peer<'a> {
    /// A deployable, `outside`, `nats` or `temporal`.
    name: &'a str,
    /// `grpc`, `http`, `nats` or `temporal`.
    protocol: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Consumer<'a> {
    event: &'a str,
    stream: &'a str,
    /// Name of the durable consumer.
    consumer: &'a str,
    /// Seconds, rounded up: how long a message may stay unanswered.
    ack_wait_seconds: u64,
}

/// Writes `ops/values/<deployable>.json`.
pub(super) fn emit(model: &Model) -> Vec<File> {
    model.deployables.iter().map(|deployable| values(model, deployable)).collect()
}

fn values(model: &Model, deployable: &Deployable) -> File {
    let name = deployable.name.as_str();
    let flows: Vec<_> = network::flows(model).into_keys().collect();
    let callers = flows.iter().filter(|(_, to, _)| *to == name);
    let calls = flows.iter().filter(|(from, _, _)| *from == name);
    let handlers = deployable.handles.iter().filter_map(|handler| {
        let (_, event) = model.event(&handler.event)?;
        Some(Consumer {
            event: &handler.event,
            stream: &event.stream,
            consumer: &handler.durable,
            ack_wait_seconds: rounded_up(handler.ack_wait),
        })
    });
    let contracts = Contracts {
        deployable: name,
        callers: callers.map(|(name, _, protocol)| Peer { name, protocol }).collect(),
        calls: calls.map(|(_, name, protocol)| Peer { name, protocol }).collect(),
        handlers: handlers.collect(),
    };
    json(&format!("values/{name}.json"), &Values { contracts })
}

fn rounded_up(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_shortened() {
        assert_eq!(rounded_up(Duration::from_secs(30)), 30);
        assert_eq!(rounded_up(Duration::from_millis(30_001)), 31);
    }
}
