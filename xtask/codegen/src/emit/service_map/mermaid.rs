//! The map as a Mermaid flowchart (<https://mermaid.js.org/syntax/flowchart.html>).

use std::fmt::Write as _;

use super::graph::{Graph, Kind, Row, label};

/// The flowchart.
pub(super) fn write(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    for (index, one) in graph.deployables.iter().enumerate() {
        let _ = writeln!(out, "  d{index}[{}]:::deployable", quoted(&one.name));
    }
    for (index, store) in graph.stores.iter().enumerate() {
        let text = quoted(&store.name);
        let _ = if store.is_stream {
            writeln!(out, "  s{index}[({text})]:::stream")
        } else {
            writeln!(out, "  s{index}{{{{{text}}}}}:::queue")
        };
    }
    // One arrow for all that one box says to another in one way.
    let mut arrows: Vec<(String, &str, String, Kind, Vec<&str>)> = Vec::new();
    let mut add = |from: String, to: String, kind: Kind, text| {
        let line = if matches!(kind, Kind::Handles | Kind::Runs) { "-.->" } else { "-->" };
        let same =
            arrows.iter_mut().find(|arrow| arrow.0 == from && arrow.2 == to && arrow.3 == kind);
        match same {
            Some(arrow) => arrow.4.push(text),
            None => arrows.push((from, line, to, kind, vec![text])),
        }
    };
    for call in &graph.calls {
        let row: &Row = &graph.deployables[call.from.deployable].left[call.from.row];
        let from = format!("d{}", call.from.deployable);
        add(from, format!("d{}", call.to.deployable), Kind::Calls, label(&row.text));
    }
    for flow in &graph.flows {
        let (deployable, store) =
            (format!("d{}", flow.deployable.deployable), format!("s{}", flow.store));
        let text = label(&graph.stores[flow.store].rows[flow.row].text);
        match flow.kind {
            Kind::Publishes | Kind::Starts => add(deployable, store, flow.kind, text),
            _ => add(store, deployable, flow.kind, text),
        }
    }
    for (from, line, to, kind, texts) in &arrows {
        let text = quoted(&format!("{} {}", kind.word(), texts.join(", ")));
        let _ = writeln!(out, "  {from} {line}|{text}| {to}");
    }
    out.push_str(
        "  classDef deployable stroke-width:2px\n  classDef stream stroke:#1a7f4b\n  classDef queue \
         stroke:#8038b8\n",
    );
    out
}

/// A text in quotes; what Mermaid would read as markup is written by number.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
