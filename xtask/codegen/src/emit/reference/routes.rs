//! All HTTP routes on one page.

use super::access::access;
use super::html::{badge, code_link, escape, link, table};
use super::links;
use super::page::{Page, Site};
use crate::emit::document::Index;
use crate::emit::document::index::short;
use crate::emit::openapi;
use crate::model::{Deployable, Method, Service};

pub(super) fn page(site: &Site<'_>, index: &Index<'_>) -> String {
    let mut body = String::from(
        "<h1>HTTP routes</h1>\n<p class=\"lead\">Every path that a deployable answers, with the RPC \
         behind it.</p>\n",
    );
    let mut any = false;
    for deployable in &index.model.deployables {
        let rows = of_deployable(index, deployable, "");
        if rows.is_empty() {
            continue;
        }
        any = true;
        body.push_str(&format!(
            "<h2 id=\"{0}\">{1}</h2>\n",
            escape(&deployable.name),
            link(&links::deployable(&deployable.name), &deployable.name)
        ));
        body.push_str(&documents(index, deployable, "../"));
        body.push_str(&table(&HEAD, &rows));
    }
    if !any {
        body.push_str("<p>No deployable answers HTTP.</p>\n");
    }
    site.render(&Page { path: "routes.html", title: "HTTP routes", body })
}

/// Columns of a table of routes.
pub(super) const HEAD: [&str; 4] = ["Method", "Path", "RPC", "Who may call"];

/// The routes of a deployable as rows.
pub(super) fn of_deployable(
    index: &Index<'_>,
    deployable: &Deployable,
    top: &str,
) -> Vec<Vec<String>> {
    let served = deployable.serves.iter().filter_map(|name| index.model.service(name));
    let methods =
        served.flat_map(|(_, service)| service.methods.iter().map(move |method| (service, method)));
    methods.flat_map(|(service, method)| rows(service, method, top)).collect()
}

fn rows(service: &Service, method: &Method, top: &str) -> Vec<Vec<String>> {
    let target = format!("{top}{}", links::method(&service.full_name, &method.name));
    let name = format!("{}.{}", short(&service.full_name), method.name);
    let routes = method.routes.iter().map(|route| {
        vec![verb(&route.verb), path(&route.path), code_link(&target, &name), access(method, top)]
    });
    routes.collect()
}

/// The HTTP method as a badge.
pub(super) fn verb(verb: &str) -> String {
    badge(&format!("verb {}", kind(verb)), &verb.to_uppercase())
}

/// A custom verb may hold what a class may not.
fn kind(verb: &str) -> &'static str {
    match verb {
        "get" => "get",
        "post" => "post",
        "put" => "put",
        "patch" => "patch",
        "delete" => "delete",
        _ => "custom",
    }
}

/// A path with its variables told apart; it may break after each `/`.
pub(super) fn path(path: &str) -> String {
    let text = escape(path).replace('/', "/<wbr>").replace('{', "<var>{").replace('}', "}</var>");
    format!("<code class=\"path\">{text}</code>")
}

/// Links to the documents of a deployable.
pub(super) fn documents(index: &Index<'_>, deployable: &Deployable, top: &str) -> String {
    let mut links = Vec::new();
    if openapi::answers_http(index, deployable) {
        links.push(link(&format!("{top}openapi/{}.json", deployable.name), "OpenAPI 3.1"));
    }
    if crate::emit::asyncapi::has_events(deployable) {
        links.push(link(&format!("{top}asyncapi/{}.json", deployable.name), "AsyncAPI 3.0"));
    }
    if links.is_empty() {
        return String::new();
    }
    format!("<p class=\"documents\">{}</p>\n", links.join(" "))
}
