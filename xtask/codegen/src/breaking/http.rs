//! HTTP routes: what a request that was answered comes to.

use super::Findings;
use super::rules::{
    HTTP_BODY_CHANGED, HTTP_RESPONSE_BODY_CHANGED, HTTP_ROUTE_MOVED, HTTP_ROUTE_REMOVED,
    HTTP_VARIABLE_CHANGED,
};
use super::template::{self, variables};
use crate::model::{Body, Method, Model, Route};

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    for service in old.packages.iter().flat_map(|package| &package.services) {
        for method in &service.methods {
            let element = format!("{}.{}", service.full_name, method.name);
            for route in &method.routes {
                compare_route(route, &element, new, findings);
            }
        }
    }
}

fn compare_route(old: &Route, element: &str, new: &Model, findings: &mut Findings) {
    let answering: Vec<_> = methods(new)
        .flat_map(|(name, method)| method.routes.iter().map(move |route| (name.clone(), route)))
        .filter(|(_, route)| covers(route, old))
        .collect();
    match answering.iter().find(|(name, _)| name == element).or(answering.first()) {
        None => {
            let message = format!("{} is no longer answered", text(old));
            findings.add(HTTP_ROUTE_REMOVED, element, message);
        }
        Some((name, _)) if name != element => {
            let message = format!("{} is answered by {name} now", text(old));
            findings.add(HTTP_ROUTE_MOVED, element, message);
        }
        Some((_, now)) => compare_routes(old, now, element, findings),
    }
}

fn compare_routes(old: &Route, new: &Route, element: &str, findings: &mut Findings) {
    if old.body != new.body {
        let message = format!("{} took {}, takes {}", text(old), body(&old.body), body(&new.body));
        findings.add(HTTP_BODY_CHANGED, element, message);
    }
    if old.response_body != new.response_body {
        let (was, is) = (answer(old), answer(new));
        let message = format!("{} answered {was}, answers {is}", text(old));
        findings.add(HTTP_RESPONSE_BODY_CHANGED, element, message);
    }
    let (was, is) = (variables(&old.template), variables(&new.template));
    if was != is {
        let message = format!(
            "the variables of {} set {}, set {} now",
            text(old),
            was.join(", "),
            if is.is_empty() { "nothing".to_owned() } else { is.join(", ") }
        );
        findings.add(HTTP_VARIABLE_CHANGED, element, message);
    }
}

fn methods(model: &Model) -> impl Iterator<Item = (String, &Method)> {
    model.packages.iter().flat_map(|package| &package.services).flat_map(|service| {
        let name = &service.full_name;
        service.methods.iter().map(move |method| (format!("{name}.{}", method.name), method))
    })
}

/// Whether every request of the one is a request of the other.
fn covers(wide: &Route, narrow: &Route) -> bool {
    wide.verb == narrow.verb && template::covers(&wide.template, &narrow.template)
}

fn text(route: &Route) -> String {
    format!("{} {}", route.verb.to_uppercase(), route.path)
}

fn body(body: &Body) -> String {
    match body {
        Body::None => "no body".to_owned(),
        Body::Whole => "the request as its body".to_owned(),
        Body::Field(name) => format!("field `{name}` as its body"),
    }
}

fn answer(route: &Route) -> String {
    match &route.response_body {
        Some(name) => format!("with field `{name}`"),
        None => "with the response".to_owned(),
    }
}
