//! The order of boxes and rows: the one, of those tried, in which the fewest lines cross.

use super::graph::{Flow, Graph, Port};

/// Rounds of moving each side to where the other one is.
const ROUNDS: usize = 8;

/// The graph with its boxes and rows in a good order; the same for the same graph.
pub(super) fn ordered(graph: Graph) -> Graph {
    let mut graph = graph;
    let mut best = graph.clone();
    let mut fewest = cost(&best);
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            order_stores(&mut graph);
        } else {
            order_deployables(&mut graph);
        }
        order_rows(&mut graph);
        let crossing = cost(&graph);
        if crossing < fewest {
            fewest = crossing;
            best = graph.clone();
        }
    }
    best
}

/// Height of a flow's ends: box first, then row.
fn ends(flow: &Flow) -> ((usize, usize), (usize, usize)) {
    ((flow.deployable.deployable, flow.deployable.row), (flow.store, flow.row))
}

/// Crossings weigh most; calls had better be short.
fn cost(graph: &Graph) -> usize {
    let mut crossings = 0;
    for (index, a) in graph.flows.iter().enumerate() {
        for b in &graph.flows[index + 1..] {
            let ((a_left, a_right), (b_left, b_right)) = (ends(a), ends(b));
            if a_left < b_left && a_right > b_right || a_left > b_left && a_right < b_right {
                crossings += 1;
            }
        }
    }
    let lengths = graph.calls.iter().map(|call| call.from.deployable.abs_diff(call.to.deployable));
    crossings * 4 + lengths.sum::<usize>()
}

/// Mean of positions in tenths, so that the order needs no floating point.
fn mean(positions: impl Iterator<Item = usize>) -> Option<usize> {
    let (sum, count) = positions.fold((0, 0), |(sum, count), one| (sum + one, count + 1));
    (count > 0).then(|| sum * 1_000 / count)
}

/// A permutation that sorts by keys; what has none, and equals, keep their places.
fn permutation(keys: Vec<Option<usize>>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|&index| (keys[index].unwrap_or(index * 1_000), index));
    order
}

fn order_stores(graph: &mut Graph) {
    let keys = (0..graph.stores.len()).map(|store| {
        let near = graph.flows.iter().filter(|flow| flow.store == store);
        mean(near.map(|flow| flow.deployable.deployable * 16 + flow.deployable.row.min(15)))
    });
    let order = permutation(keys.collect());
    graph.stores = order.iter().map(|&old| graph.stores[old].clone()).collect();
    for flow in &mut graph.flows {
        flow.store = position(&order, flow.store);
    }
}

fn order_deployables(graph: &mut Graph) {
    let keys = (0..graph.deployables.len()).map(|one| {
        let flows = graph.flows.iter().filter(|flow| flow.deployable.deployable == one);
        mean(flows.map(|flow| flow.store * 16 + flow.row.min(15)))
    });
    let order = permutation(keys.collect());
    graph.deployables = order.iter().map(|&old| graph.deployables[old].clone()).collect();
    let moved = |port: &mut Port| port.deployable = position(&order, port.deployable);
    for flow in &mut graph.flows {
        moved(&mut flow.deployable);
    }
    for call in &mut graph.calls {
        moved(&mut call.from);
        moved(&mut call.to);
    }
}

/// Sorts the rows of each box by where their lines lead.
fn order_rows(graph: &mut Graph) {
    for one in 0..graph.deployables.len() {
        let keys = (0..graph.deployables[one].right.len()).map(|row| {
            let port = Port { deployable: one, row };
            let flows = graph.flows.iter().filter(|flow| flow.deployable == port);
            mean(flows.map(|flow| flow.store * 64 + flow.row.min(63)))
        });
        let order = permutation(keys.collect());
        let rows = &mut graph.deployables[one].right;
        *rows = order.iter().map(|&old| rows[old].clone()).collect();
        for flow in graph.flows.iter_mut().filter(|flow| flow.deployable.deployable == one) {
            flow.deployable.row = position(&order, flow.deployable.row);
        }
    }
    for store in 0..graph.stores.len() {
        let keys = (0..graph.stores[store].rows.len()).map(|row| {
            let flows = graph.flows.iter().filter(|flow| flow.store == store && flow.row == row);
            mean(flows.map(|flow| flow.deployable.deployable * 64 + flow.deployable.row.min(63)))
        });
        let order = permutation(keys.collect());
        let rows = &mut graph.stores[store].rows;
        *rows = order.iter().map(|&old| rows[old].clone()).collect();
        for flow in graph.flows.iter_mut().filter(|flow| flow.store == store) {
            flow.row = position(&order, flow.row);
        }
    }
}

/// Where an old place has gone.
fn position(order: &[usize], old: usize) -> usize {
    order.iter().position(|&one| one == old).unwrap_or(old)
}
