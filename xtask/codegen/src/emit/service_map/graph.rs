//! What is on the map.

use crate::emit::document::index::short;
use crate::emit::reference::links;
use crate::model::{Deployable, Model};

/// All boxes and lines.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Graph {
    pub(super) deployables: Vec<Deployed>,
    pub(super) stores: Vec<Store>,
    /// From a deployable's `calls` to a deployable's `serves`.
    pub(super) calls: Vec<Call>,
    /// Between a deployable and a row of a store.
    pub(super) flows: Vec<Flow>,
}

/// A deployable.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Deployed {
    pub(super) name: String,
    pub(super) link: String,
    /// What is answered by or asked from others: the left side.
    pub(super) left: Vec<Row>,
    /// What goes to or comes from streams and task queues: the right side.
    pub(super) right: Vec<Row>,
}

/// A line of text in a box, at which lines begin and end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) link: String,
}

/// What a row or line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Serves,
    Calls,
    Publishes,
    Handles,
    Starts,
    Runs,
    /// A row of a stream or task queue.
    Holds,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Serves => "serves",
            Self::Calls => "calls",
            Self::Publishes => "publishes",
            Self::Handles => "handles",
            Self::Starts => "starts",
            Self::Runs => "runs",
            Self::Holds => "",
        }
    }
}

/// A stream or a task queue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Store {
    pub(super) name: String,
    pub(super) is_stream: bool,
    pub(super) link: String,
    pub(super) rows: Vec<Row>,
}

/// A row of a deployable by indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Port {
    pub(super) deployable: usize,
    pub(super) row: usize,
}

/// A call, from a row on a left side to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) from: Port,
    pub(super) to: Port,
}

/// A line between the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) kind: Kind,
    /// A row on a right side.
    pub(super) deployable: Port,
    pub(super) store: usize,
    pub(super) row: usize,
}

impl Graph {
    pub(super) fn of(model: &Model) -> Self {
        let deployables: Vec<_> = model.deployables.iter().map(deployed).collect();
        let stores = stores(model);
        let calls = calls(model, &deployables);
        let flows = flows(&deployables, &stores);
        Self { deployables, stores, calls, flows }
    }
}

fn deployed(deployable: &Deployable) -> Deployed {
    let rows = |kind: Kind, names: Vec<&String>| -> Vec<Row> {
        names
            .into_iter()
            .map(|name| Row { kind, text: name.clone(), link: links::to(name) })
            .collect()
    };
    let mut left = rows(Kind::Serves, deployable.serves.iter().collect());
    left.extend(rows(Kind::Calls, deployable.calls.iter().map(|call| &call.service).collect()));
    let mut right = rows(Kind::Publishes, deployable.publishes.iter().collect());
    let handled = deployable.handles.iter().map(|handler| &handler.event).collect();
    right.extend(rows(Kind::Handles, handled));
    right.extend(rows(Kind::Starts, deployable.starts.iter().collect()));
    right.extend(rows(Kind::Runs, deployable.runs.iter().collect()));
    Deployed {
        name: deployable.name.clone(),
        link: links::deployable(&deployable.name),
        left,
        right,
    }
}

fn stores(model: &Model) -> Vec<Store> {
    let row = |name: &String| Row { kind: Kind::Holds, text: name.clone(), link: links::to(name) };
    let mut stores = Vec::new();
    for package in &model.packages {
        for stream in &package.streams {
            let events = model.packages.iter().flat_map(|package| &package.events);
            let kept = events.filter(|event| event.stream == stream.name);
            stores.push(Store {
                name: stream.name.clone(),
                is_stream: true,
                link: links::stream(&stream.name),
                rows: kept.map(|event| row(&event.full_name)).collect(),
            });
        }
    }
    let services = model.packages.iter().flat_map(|package| &package.workflows);
    for service in services {
        let queue =
            stores.iter_mut().find(|store| !store.is_stream && store.name == service.task_queue);
        match queue {
            Some(store) => store.rows.push(row(&service.full_name)),
            None => stores.push(Store {
                name: service.task_queue.clone(),
                is_stream: false,
                link: links::to(&service.full_name),
                rows: vec![row(&service.full_name)],
            }),
        }
    }
    stores
}

fn calls(model: &Model, deployables: &[Deployed]) -> Vec<Call> {
    let port = |name: &str, kind: Kind, service: &str| {
        let deployable = deployables.iter().position(|one| one.name == name)?;
        let rows = &deployables[deployable].left;
        let row = rows.iter().position(|row| row.kind == kind && row.text == service)?;
        Some(Port { deployable, row })
    };
    let declared = model
        .deployables
        .iter()
        .flat_map(|deployable| deployable.calls.iter().map(move |call| (&deployable.name, call)));
    declared
        .filter_map(|(caller, call)| {
            Some(Call {
                from: port(caller, Kind::Calls, &call.service)?,
                to: port(&call.server, Kind::Serves, &call.service)?,
            })
        })
        .collect()
}

fn flows(deployables: &[Deployed], stores: &[Store]) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (deployable, declared) in deployables.iter().enumerate() {
        for (row, from) in declared.right.iter().enumerate() {
            let places = stores.iter().enumerate().flat_map(|(store, held)| {
                held.rows.iter().enumerate().map(move |(row, to)| (store, row, to))
            });
            let place = places.into_iter().find(|(_, _, to)| to.text == from.text);
            if let Some((store, store_row, _)) = place {
                let deployable = Port { deployable, row };
                flows.push(Flow { kind: from.kind, deployable, store, row: store_row });
            }
        }
    }
    flows
}

/// The part of a full name that a map has room for.
pub(super) fn label(full_name: &str) -> &str {
    short(full_name)
}
