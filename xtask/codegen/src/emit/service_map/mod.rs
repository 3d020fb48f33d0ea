//! The service map: who calls, publishes, handles, runs and starts what.
//!
//! Deployables stand in a column on the left, streams and task queues in one on the
//! right. Calls run along the left side of the deployables, everything else between the
//! columns, so that no line has to go around a box whatever the cycles are.

mod graph;
mod layout;
mod mermaid;
mod order;
mod svg;

use crate::File;
use crate::model::Model;

pub(super) use svg::STYLE;

/// `docs/service-map.svg` and `docs/service-map.mmd`; nothing without deployables.
pub(super) fn emit(model: &Model) -> Vec<File> {
    if model.deployables.is_empty() {
        return Vec::new();
    }
    vec![
        File::new("docs/service-map.svg", svg::standalone(&picture(model))),
        File::new("docs/service-map.mmd", mermaid::write(&graph::Graph::of(model))),
    ]
}

/// The map for a page whose style sheet knows its classes.
pub(super) fn inline(model: &Model) -> String {
    svg::inline(&picture(model))
}

fn picture(model: &Model) -> layout::Picture {
    layout::Picture::of(&order::ordered(graph::Graph::of(model)))
}
