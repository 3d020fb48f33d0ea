//! The picture as SVG: alone with its own style, or within a page.

use std::fmt::Write as _;

use super::graph::{Kind, Row, label};
use super::layout::{Box, HEAD, INSET, LEGEND, Line, Picture, Shape, row_middle, text_width};
use crate::emit::document::markdown::escape;

/// Colours and fonts of the map; a page's style sheet holds them too.
pub(in crate::emit) const STYLE: &str = include_str!("map.css");

/// Colours of a picture that stands alone.
const COLOURS: &str = include_str!("colours.css");

/// Kinds of lines in the order of the legend.
const LEGEND_ROWS: [(Kind, &str); 5] = [
    (Kind::Calls, "calls"),
    (Kind::Publishes, "publishes"),
    (Kind::Handles, "handles"),
    (Kind::Starts, "starts"),
    (Kind::Runs, "runs"),
];

/// A file of its own, which follows the reader's colour scheme.
pub(super) fn standalone(picture: &Picture) -> String {
    let style = format!("<style>\n{COLOURS}{STYLE}</style>\n");
    let background = "<rect class=\"map-ground\" width=\"100%\" height=\"100%\"/>\n";
    write(picture, "", &format!("{style}{background}"))
}

/// A part of a page.
pub(super) fn inline(picture: &Picture) -> String {
    write(picture, " class=\"map\"", "")
}

fn write(picture: &Picture, attributes: &str, head: &str) -> String {
    let (width, height) = (picture.width, picture.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\"{attributes} viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"group\" aria-labelledby=\"map-title \
         map-description\">\n<title id=\"map-title\">Service map</title>\n<desc \
         id=\"map-description\">{}</desc>\n{head}",
        escape(&description(picture))
    );
    out.push_str(&markers());
    legend(picture, &mut out);
    for line in &picture.lines {
        write_line(line, &mut out);
    }
    for one in &picture.boxes {
        write_box(one, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// The map in words, for those who do not see it.
fn description(picture: &Picture) -> String {
    let titles: Vec<_> = picture.lines.iter().map(|line| line.title.as_str()).collect();
    titles.join("; ")
}

/// An arrow's head for each kind, since a marker does not take over the line's colour
/// everywhere.
fn markers() -> String {
    let mut out = String::from("<defs>\n");
    for (kind, name) in LEGEND_ROWS {
        let _ = writeln!(
            out,
            "<marker id=\"to-{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path \
             class=\"map-head map-{}\" d=\"M0 0.5 7.5 4 0 7.5z\"/></marker>",
            kind.word()
        );
    }
    out.push_str("</defs>\n");
    out
}

fn legend(picture: &Picture, out: &mut String) {
    let used = |kind: Kind| picture.lines.iter().any(|line| line.kind == kind);
    let mut x = 20;
    out.push_str("<g aria-hidden=\"true\">\n");
    for (kind, name) in LEGEND_ROWS.into_iter().filter(|(kind, _)| used(*kind)) {
        let y = LEGEND / 2 + 4;
        let _ = writeln!(
            out,
            "<path class=\"map-line map-{name}\" d=\"M{x} {y}H{}\" marker-end=\"url(#to-{name})\"/>\
             <text class=\"map-word\" x=\"{}\" y=\"{}\">{name}</text>",
            x + 36,
            x + 44,
            y + 4,
        );
        x += 44 + text_width(kind.word(), 12) + 28;
    }
    out.push_str("</g>\n");
}

fn write_line(line: &Line, out: &mut String) {
    let ((x1, y1), (x2, y2)) = (line.from, line.to);
    let path = match line.lane {
        Some(lane) => bracket(x1, y1, x2, y2, lane),
        None => {
            let bend = (x2 - x1) / 2;
            format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2 - bend)
        }
    };
    let word = line.kind.word();
    let _ = writeln!(
        out,
        "<g class=\"map-edge\"><title>{}</title><path class=\"map-touch\" d=\"{path}\"/><path \
         class=\"map-line map-{word}\" d=\"{path}\" marker-end=\"url(#to-{word})\"/></g>",
        escape(&line.title),
    );
}

/// Out to the left, up or down, and back, with round corners.
fn bracket(x1: i32, y1: i32, x2: i32, y2: i32, lane: i32) -> String {
    let radius = 7.min((y2 - y1).abs() / 2);
    let down = if y2 > y1 { radius } else { -radius };
    format!(
        "M{x1} {y1}H{}Q{lane} {y1} {lane} {}V{}Q{lane} {y2} {} {y2}H{x2}",
        lane + radius,
        y1 + down,
        y2 - down,
        lane + radius,
    )
}

fn write_box(one: &Box, out: &mut String) {
    let (class, what) = match one.shape {
        Shape::Deployable => ("map-deployable", ""),
        Shape::Stream => ("map-stream", "stream"),
        Shape::TaskQueue => ("map-queue", "task queue"),
    };
    let (x, y, width, height) = (one.x, one.y, one.width, one.height);
    let _ = writeln!(
        out,
        "<g class=\"map-box {class}\">\n<rect class=\"map-frame\" x=\"{x}\" y=\"{y}\" \
         width=\"{width}\" height=\"{height}\" rx=\"10\"/>\n<path class=\"map-rule\" d=\"M{x} \
         {}h{width}\"/>\n<a href=\"{}\"><text class=\"map-name\" x=\"{}\" y=\"{}\">{}</text></a>",
        y + HEAD - 4,
        escape(&one.link),
        x + INSET,
        y + 23,
        escape(&one.name),
    );
    if !what.is_empty() {
        let _ = writeln!(
            out,
            "<text class=\"map-word map-end\" x=\"{}\" y=\"{}\">{what}</text>",
            x + width - INSET,
            y + 22,
        );
    }
    for (index, row) in one.left.iter().enumerate() {
        write_row(row, x + INSET, y + row_middle(index) + 4, "", out);
    }
    for (index, row) in one.right.iter().enumerate() {
        write_row(row, x + width - INSET, y + row_middle(index) + 4, " map-end", out);
    }
    out.push_str("</g>\n");
}

fn write_row(row: &Row, x: i32, y: i32, end: &str, out: &mut String) {
    let word = match row.kind.word() {
        "" => String::new(),
        word => format!("<tspan class=\"map-word map-{word}-text\">{word}</tspan> "),
    };
    let _ = writeln!(
        out,
        "<a href=\"{}\"><text class=\"map-row{end}\" x=\"{x}\" y=\"{y}\">{word}{}</text></a>",
        escape(&row.link),
        escape(label(&row.text)),
    );
}
