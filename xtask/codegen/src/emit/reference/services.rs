//! Services and their RPCs, on the page of their package.

use super::access::access;
use super::html::{badge, code, code_link, comment, facts, heading, inline_list, link};
use super::{links, routes, types};
use crate::emit::document::{Index, time};
use crate::model::{Idempotency, Method, Package, Route, Service};

pub(super) fn section(index: &Index<'_>, package: &Package, service: &Service) -> String {
    let deprecated =
        if service.deprecated { badge("deprecated", "deprecated") } else { String::new() };
    let local = crate::emit::document::index::short(&service.full_name);
    let kind = format!(" <span class=\"kind\">service</span>{deprecated}");
    let mut out = heading(3, local, local, &kind);
    out.push_str(&comment(&service.comment));
    let server = index.server(&service.full_name).map_or_else(
        || inline_list(Vec::new()),
        |one| link(&format!("../{}", links::deployable(&one.name)), &one.name),
    );
    out.push_str(&facts(&[("Answered by", server)]));
    for method in &service.methods {
        out.push_str(&rpc(index, package, local, method));
    }
    out
}

fn rpc(index: &Index<'_>, package: &Package, service: &str, method: &Method) -> String {
    let mut badges = String::from(" <span class=\"kind\">RPC</span>");
    if method.deprecated {
        badges.push_str(&badge("deprecated", "deprecated"));
    }
    let mut out = heading(4, &format!("{service}.{}", method.name), &method.name, &badges);
    let input = (&method.input, method.client_streaming);
    let output = (&method.output, method.server_streaming);
    out.push_str(&types::signature(index, package, &method.name, input, output));
    out.push_str(&comment(&method.comment));
    if !method.routes.is_empty() {
        let routes: Vec<_> = method.routes.iter().map(|route| self::route(method, route)).collect();
        out.push_str(&format!("<ul class=\"routes\">\n{}</ul>\n", routes.concat()));
    }
    out.push_str(&facts(&promises(method)));
    out
}

fn route(method: &Method, route: &Route) -> String {
    use crate::model::Body;
    let mut notes = Vec::new();
    match &route.body {
        Body::None => {}
        Body::Whole => notes.push("body: the request".to_owned()),
        Body::Field(name) => notes.push(format!("body: {}", code(name))),
    }
    if let Some(name) = &route.response_body {
        notes.push(format!("answers {}", code(name)));
    }
    if method.success_status != 200 {
        notes.push(format!("status {}", method.success_status));
    }
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(" <span class=\"soft\">{}</span>", notes.join(", "))
    };
    format!("<li>{} {}{notes}</li>\n", routes::verb(&route.verb), routes::path(&route.path))
}

fn promises(method: &Method) -> Vec<(&'static str, String)> {
    let mut list = vec![
        ("Who may call", access(method, "../")),
        ("Deadline", time::readable(method.deadline)),
    ];
    match method.idempotency {
        Idempotency::Unknown => {}
        Idempotency::NoSideEffects => list.push(("A repeat", "only reads".to_owned())),
        Idempotency::Idempotent => list.push(("A repeat", "has no further effect".to_owned())),
    }
    if let Some(key) = &method.idempotency_key {
        list.push(("Idempotency key", code(key)));
    }
    if let Some(retry) = method.retry {
        list.push((
            "Clients repeat",
            format!(
                "{} attempts, waits of up to {} to {}, each {} times the one before",
                retry.max_attempts,
                time::readable(retry.initial_backoff),
                time::readable(retry.max_backoff),
                retry.multiplier
            ),
        ));
    }
    if let Some(page) = &method.page {
        let item =
            crate::emit::document::index::short(&page.item.path.replace("::", ".")).to_owned();
        list.push((
            "Pages of",
            code_link(&format!("#{}", page.item.path.replace("::", ".")), &item),
        ));
    }
    list
}
