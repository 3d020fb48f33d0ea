//! Places and sizes, in whole pixels so that they are the same everywhere.

use std::collections::BTreeMap;

use super::graph::{Graph, Kind, Port, Row, label};

/// Height of a box's head.
pub(super) const HEAD: i32 = 40;
/// Height of a row.
pub(super) const ROW: i32 = 26;
/// Space below the last row.
const FOOT: i32 = 10;
/// Space between boxes.
const GAP: i32 = 28;
/// Space around everything.
const MARGIN: i32 = 20;
/// Height of the legend.
pub(super) const LEGEND: i32 = 44;
/// Width that a line of calls takes.
const LANE: i32 = 14;
/// Space between the columns.
const CORRIDOR: i32 = 190;
/// Space between a text and the edge of its box.
pub(super) const INSET: i32 = 14;

/// Everything with its place.
pub(super) struct Picture {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) boxes: Vec<Box>,
    pub(super) lines: Vec<Line>,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Deployable,
    Stream,
    TaskQueue,
}

/// A box with its rows.
pub(super) struct Box {
    pub(super) shape: Shape,
    pub(super) name: String,
    pub(super) link: String,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    /// Rows that begin at the left edge.
    pub(super) left: Vec<Row>,
    /// Rows that end at the right edge.
    pub(super) right: Vec<Row>,
}

/// A line from one row to another.
pub(super) struct Line {
    pub(super) kind: Kind,
    /// What a reader is told who points at it.
    pub(super) title: String,
    pub(super) from: (i32, i32),
    pub(super) to: (i32, i32),
    /// The x of its vertical part, for calls.
    pub(super) lane: Option<i32>,
}

/// Height of a row's middle below the top of its box.
pub(super) fn row_middle(row: usize) -> i32 {
    HEAD + ROW * i32::try_from(row).unwrap_or(0) + ROW / 2
}

fn box_height(rows: usize) -> i32 {
    HEAD + ROW * i32::try_from(rows).unwrap_or(0) + FOOT
}

/// Width of a text, generously: fonts differ, and nothing may run out of its box.
pub(super) fn text_width(text: &str, size: i32) -> i32 {
    let units: i32 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | '\'' | '|' => 36,
            'f' | 'r' | 't' | ' ' | '-' | '(' | ')' => 44,
            'm' | 'w' | 'M' | 'W' => 98,
            'A'..='Z' => 74,
            c if c.is_ascii() => 63,
            _ => 100,
        })
        .sum();
    units * size / 100
}

/// Width of a box's name.
fn bold_width(text: &str) -> i32 {
    text_width(text, 15) * 112 / 100
}

impl Picture {
    pub(super) fn of(graph: &Graph) -> Self {
        let lanes = lanes(graph);
        let count = lanes.values().max().map_or(0, |most| most + 1);
        let left = MARGIN + if count > 0 { LANE * (count + 1) } else { 0 };
        let mut boxes = Vec::new();
        let width = column_width(graph.deployables.iter().map(deployable_width), 240);
        let mut y = MARGIN + LEGEND;
        for one in &graph.deployables {
            let height = box_height(one.left.len().max(one.right.len()));
            boxes.push(Box {
                shape: Shape::Deployable,
                name: one.name.clone(),
                link: one.link.clone(),
                x: left,
                y,
                width,
                height,
                left: one.left.clone(),
                right: one.right.clone(),
            });
            y += height + GAP;
        }
        let bottom = y - GAP;
        let x = left + width + CORRIDOR;
        let stores_width = column_width(graph.stores.iter().map(store_width), 200);
        let heights = graph.stores.iter().map(|store| box_height(store.rows.len()) + GAP);
        let total = heights.sum::<i32>() - GAP;
        let free = (bottom - MARGIN - LEGEND - total).max(0);
        let mut y = MARGIN + LEGEND + free / 2;
        for store in &graph.stores {
            let height = box_height(store.rows.len());
            boxes.push(Box {
                shape: if store.is_stream { Shape::Stream } else { Shape::TaskQueue },
                name: store.name.clone(),
                link: store.link.clone(),
                x,
                y,
                width: stores_width,
                height,
                left: store.rows.clone(),
                right: Vec::new(),
            });
            y += height + GAP;
        }
        let lines = lines(graph, &boxes, &lanes);
        let end = if graph.stores.is_empty() { left + width } else { x + stores_width };
        Self { width: (end + MARGIN).max(620), height: bottom.max(y - GAP) + MARGIN, boxes, lines }
    }
}

fn column_width(widths: impl Iterator<Item = i32>, least: i32) -> i32 {
    widths.fold(least, i32::max)
}

fn row_width(row: &Row) -> i32 {
    let word = match row.kind.word() {
        "" => 0,
        word => text_width(word, 12) + 8,
    };
    INSET * 2 + word + text_width(label(&row.text), 13)
}

fn deployable_width(one: &super::graph::Deployed) -> i32 {
    let widest = |rows: &[Row]| rows.iter().map(row_width).max().unwrap_or(0);
    (widest(&one.left) + widest(&one.right)).max(INSET * 2 + bold_width(&one.name))
}

fn store_width(store: &super::graph::Store) -> i32 {
    let rows = store.rows.iter().map(row_width).max().unwrap_or(0);
    rows.max(INSET * 3 + bold_width(&store.name) + text_width("task queue", 12))
}

/// A row of a deployable: the deployables are counted from above, and so are its rows.
type Height = (usize, usize);

/// A lane for each service that is called: calls of one service join each other, those
/// of two never lie on one line.
fn lanes(graph: &Graph) -> BTreeMap<Port, i32> {
    let height = |port: Port| (port.deployable, port.row);
    let mut spans: BTreeMap<Port, (Height, Height)> = BTreeMap::new();
    for call in &graph.calls {
        let span = spans.entry(call.to).or_insert((height(call.to), height(call.to)));
        span.0 = span.0.min(height(call.from));
        span.1 = span.1.max(height(call.from));
    }
    let mut by_length: Vec<_> = spans.into_iter().collect();
    by_length.sort_by_key(|(port, (top, bottom))| (bottom.0 - top.0, *top, *port));
    let mut taken: Vec<Vec<(Height, Height)>> = Vec::new();
    let mut lanes = BTreeMap::new();
    for (port, (top, bottom)) in by_length {
        let free =
            |spans: &Vec<(Height, Height)>| spans.iter().all(|(a, b)| bottom < *a || top > *b);
        let lane = taken.iter().position(free).unwrap_or(taken.len());
        if lane == taken.len() {
            taken.push(Vec::new());
        }
        taken[lane].push((top, bottom));
        lanes.insert(port, i32::try_from(lane).unwrap_or(0));
    }
    lanes
}

fn lines(graph: &Graph, boxes: &[Box], lanes: &BTreeMap<Port, i32>) -> Vec<Line> {
    let (deployables, stores) = boxes.split_at(graph.deployables.len());
    let mut lines = Vec::new();
    for call in &graph.calls {
        let place = |port: Port| {
            let one = &deployables[port.deployable];
            (one.x, one.y + row_middle(port.row))
        };
        let lane = lanes.get(&call.to).copied().unwrap_or(0);
        let (from, to) = (place(call.from), place(call.to));
        let caller = &graph.deployables[call.from.deployable];
        let server = &graph.deployables[call.to.deployable];
        lines.push(Line {
            kind: Kind::Calls,
            title: format!(
                "{} calls {} of {}",
                caller.name,
                label(&caller.left[call.from.row].text),
                server.name
            ),
            from,
            to,
            lane: Some(from.0 - LANE * (lane + 1) - 4),
        });
    }
    for flow in &graph.flows {
        let one = &deployables[flow.deployable.deployable];
        let store = &stores[flow.store];
        let at_deployable = (one.x + one.width, one.y + row_middle(flow.deployable.row));
        // What comes in and what goes out must not end at one point.
        let shift = if matches!(flow.kind, Kind::Publishes | Kind::Starts) { -5 } else { 5 };
        let at_store = (store.x, store.y + row_middle(flow.row) + shift);
        let text = label(&store.left[flow.row].text);
        let title = format!("{} {} {text} ({})", one.name, flow.kind.word(), store.name);
        let (from, to) = match flow.kind {
            Kind::Publishes | Kind::Starts => (at_deployable, at_store),
            _ => (at_store, at_deployable),
        };
        lines.push(Line { kind: flow.kind, title, from, to, lane: None });
    }
    lines
}
