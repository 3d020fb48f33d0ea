//! The first page.

use super::html::{brief, code_link, escape, link, table};
use super::links;
use super::page::{Page, Site};
use crate::emit::document::Index;
use crate::emit::document::markdown;
use crate::emit::service_map;
use crate::model::{Deployable, Package};

pub(super) fn page(site: &Site<'_>, index: &Index<'_>) -> String {
    let model = index.model;
    let mut body = format!(
        "<h1>{}</h1>\n<p class=\"lead\">What the services say to each other and to the world, as \
         their contracts declare it.</p>\n",
        escape(site.title())
    );
    body.push_str(&counts(index));
    if !model.deployables.is_empty() {
        body.push_str("<h2 id=\"map\">Service map</h2>\n<figure class=\"map-figure\">\n");
        body.push_str(&service_map::inline(model));
        body.push_str(&format!(
            "<figcaption>As a file: {}, {}</figcaption>\n</figure>\n",
            link("service-map.svg", "SVG"),
            link("service-map.mmd", "Mermaid")
        ));
        body.push_str("<h2 id=\"deployables\">Deployables</h2>\n<ul class=\"cards\">\n");
        body.extend(model.deployables.iter().map(card));
        body.push_str("</ul>\n");
    }
    body.push_str("<h2 id=\"packages\">Packages</h2>\n");
    let rows: Vec<_> = model.packages.iter().map(row).collect();
    body.push_str(&table(&["Package", "What it is about", "Holds"], &rows));
    site.render(&Page { path: "index.html", title: "Overview", body })
}

fn counts(index: &Index<'_>) -> String {
    let packages = &index.model.packages;
    let methods =
        packages.iter().flat_map(|package| &package.services).flat_map(|one| &one.methods);
    let routes: usize = methods.clone().map(|method| method.routes.len()).sum();
    let total = |count: fn(&Package) -> usize| packages.iter().map(count).sum::<usize>();
    let counts = [
        (index.model.deployables.len(), "deployable", "index.html#deployables"),
        (packages.len(), "package", "index.html#packages"),
        (methods.count(), "RPC", "index.html#packages"),
        (routes, "HTTP route", "routes.html"),
        (total(|package| package.events.len()), "event", "events.html"),
        (total(|package| package.streams.len()), "stream", "events.html"),
        (
            total(|package| package.workflows.iter().map(|one| one.workflows.len()).sum()),
            "workflow",
            "workflows.html",
        ),
        (total(|package| package.messages.len()), "message", "index.html#packages"),
    ];
    let mut out = String::from("<ul class=\"counts\">\n");
    for (count, what, target) in counts.into_iter().filter(|(count, _, _)| *count > 0) {
        let plural = if count == 1 { "" } else { "s" };
        out.push_str(&format!(
            "<li><a href=\"{target}\"><strong>{count}</strong> {what}{plural}</a></li>\n"
        ));
    }
    out.push_str("</ul>\n");
    out
}

fn card(deployable: &Deployable) -> String {
    let target = links::deployable(&deployable.name);
    let mut traffic = Vec::new();
    for (count, what) in [
        (deployable.serves.len(), "serves"),
        (deployable.calls.len(), "calls"),
        (deployable.publishes.len(), "publishes"),
        (deployable.handles.len(), "handles"),
        (deployable.starts.len(), "starts"),
        (deployable.runs.len(), "runs"),
    ] {
        if count > 0 {
            traffic.push(format!("{what} {count}"));
        }
    }
    format!(
        "<li class=\"card\"><h3>{}</h3><p>{}</p><p class=\"soft\">{}</p></li>\n",
        link(&target, &deployable.name),
        brief(&markdown::summary(&deployable.comment)),
        traffic.join(" · ")
    )
}

fn row(package: &Package) -> Vec<String> {
    let holds = [
        (package.services.len(), "service"),
        (package.workflows.len(), "workflow service"),
        (package.events.len(), "event"),
        (package.messages.len(), "message"),
        (package.enums.len(), "enum"),
    ];
    let holds: Vec<_> = holds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    vec![
        code_link(&links::package(&package.name), &package.name),
        brief(&package.comment),
        holds.join(", "),
    ]
}
