//! The page of a package.

use super::html::{code_link, comment, escape};
use super::page::{Page, Site, trail};
use super::{links, services, types, workflows};
use crate::emit::document::Index;
use crate::emit::document::index::{local, short};
use crate::model::Package;

pub(super) fn page(site: &Site<'_>, index: &Index<'_>, package: &Package) -> String {
    let mut body = trail(site.title(), "packages");
    body.push_str(&format!("<h1 class=\"code\">{}</h1>\n", escape(&package.name)));
    body.push_str(&comment(&package.comment));
    body.push_str(&contents(package));
    let group = |title: &str, parts: Vec<String>| {
        if parts.is_empty() {
            return String::new();
        }
        let id = title.to_lowercase().replace(' ', "-");
        format!("<h2 id=\"group-{id}\">{title}</h2>\n{}", parts.concat())
    };
    let all = package.services.iter().map(|one| services::section(index, package, one));
    body.push_str(&group("Services", all.collect()));
    let all = package.workflows.iter().map(|one| workflows::section(index, package, one));
    body.push_str(&group("Workflows", all.collect()));
    let is_event =
        |full_name: &str| package.events.iter().any(|event| event.full_name == full_name);
    let (events, messages): (Vec<_>, Vec<_>) =
        package.messages.iter().partition(|message| is_event(&message.full_name));
    let all = events.into_iter().map(|one| types::message(index, package, one));
    body.push_str(&group("Events", all.collect()));
    let all = messages.into_iter().map(|one| types::message(index, package, one));
    body.push_str(&group("Messages", all.collect()));
    let all = package.enums.iter().map(|one| types::enumeration(package, one));
    body.push_str(&group("Enums", all.collect()));
    let path = links::package(&package.name);
    site.render(&Page { path: &path, title: &package.name, body })
}

/// What the page holds, with links.
fn contents(package: &Package) -> String {
    let mut out = String::from("<nav class=\"contents\" aria-label=\"On this page\">\n");
    for service in &package.services {
        let name = short(&service.full_name);
        out.push_str(&entry(name, name, &service.comment));
        let methods = service
            .methods
            .iter()
            .map(|method| code_link(&format!("#{name}.{}", method.name), &method.name));
        out.push_str(&format!("<p class=\"soft\">{}</p>\n", methods.collect::<Vec<_>>().join(" ")));
    }
    for service in &package.workflows {
        out.push_str(&entry(&service.name, &service.name, &service.comment));
    }
    let types = package.messages.iter().map(|message| &message.full_name);
    let types = types.chain(package.enums.iter().map(|one| &one.full_name));
    let types = types.map(|full_name| local(&package.name, full_name));
    let links: Vec<_> = types.map(|name| code_link(&format!("#{name}"), name)).collect();
    if !links.is_empty() {
        out.push_str(&format!("<p class=\"names\">{}</p>\n", links.join(" ")));
    }
    out.push_str("</nav>\n");
    out
}

fn entry(anchor: &str, name: &str, about: &str) -> String {
    format!("<p>{} {}</p>\n", code_link(&format!("#{anchor}"), name), types::about(about))
}
