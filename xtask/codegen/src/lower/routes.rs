//! HTTP bindings from `google.api.http`.

use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::options::{HTTP, HttpRule, extension};
use super::overlap::{self, Relation};
use super::source::Report;
use super::{find_service, template};
use crate::load::Contracts;
use crate::model::{Body, Model, Route, Service, Variable};

/// Well-known types whose JSON is one text, number or boolean, and which can so be a
/// variable of a path.
const TEXTUAL: [&str; 12] = [
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
    "google.protobuf.BoolValue",
    "google.protobuf.BytesValue",
    "google.protobuf.DoubleValue",
    "google.protobuf.FloatValue",
    "google.protobuf.Int32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.StringValue",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
];

/// The message whose content is a body as it is, instead of JSON.
const HTTP_BODY: &str = "google.api.HttpBody";

/// The bindings of a method, the first one first.
pub(super) fn lower(
    contracts: &Contracts,
    file: &FileDescriptor,
    method: &MethodDescriptor,
    report: &mut Report,
) -> Vec<Route> {
    let place = HTTP.on(method.path());
    let rule: HttpRule = match extension(&contracts.pool, &method.options(), HTTP) {
        Ok(None) => return Vec::new(),
        Ok(Some(rule)) => rule,
        Err(message) => {
            report.add(file, &place, message, "See google/api/http.proto.");
            return Vec::new();
        }
    };
    if rule.additional_bindings.iter().any(|more| !more.additional_bindings.is_empty()) {
        let advice = "Put all of them into the first rule.";
        report.add(file, &place, "an additional binding has additional bindings", advice);
    }
    let rules = std::iter::once(&rule).chain(&rule.additional_bindings);
    rules
        .filter_map(|rule| {
            route(rule, method)
                .map_err(|(message, advice)| report.add(file, &place, message, advice))
                .ok()
        })
        .collect()
}

type Mistake = (String, &'static str);

fn wrong<T>(message: impl Into<String>, advice: &'static str) -> Result<T, Mistake> {
    Err((message.into(), advice))
}

fn route(rule: &HttpRule, method: &MethodDescriptor) -> Result<Route, Mistake> {
    let (input, output) = (method.input(), method.output());
    if !rule.selector.is_empty() {
        return wrong(
            "the HTTP rule has a selector",
            "Take it out: a rule on an RPC is for that RPC.",
        );
    }
    let (verb, path) = pattern(rule)?;
    let template = template::parse(&path).map_err(|error| (error.message, error.advice))?;
    for variable in &template.variables {
        bindable(&input, variable)?;
    }
    let (body, raw_body) = body(rule, &verb, &input)?;
    let (response_body, raw_response) = response_body(rule, &output)?;
    if method.is_client_streaming() && (body != Body::Whole || !template.variables.is_empty()) {
        return wrong(
            "a stream of requests cannot come from path or query",
            "Use body: \"*\" and a path without variables.",
        );
    }
    let infers_mask = verb == "patch" && !raw_body && has_mask(&input, &body);
    Ok(Route { verb, path, template, body, raw_body, infers_mask, response_body, raw_response })
}

/// Whether a partial update of one message in the request says by `update_mask` what of
/// it is meant (AIP-134).
fn has_mask(input: &MessageDescriptor, body: &Body) -> bool {
    let is_single = |field: &FieldDescriptor| !field.is_list() && !field.is_map();
    let message = |name: &str| match input.get_field_by_name(name).filter(is_single)?.kind() {
        Kind::Message(message) => Some(message),
        _ => None,
    };
    let Body::Field(name) = body else { return false };
    message(name).is_some()
        && message("update_mask")
            .is_some_and(|mask| mask.full_name() == "google.protobuf.FieldMask")
}

/// Verb and path.
fn pattern(rule: &HttpRule) -> Result<(String, String), Mistake> {
    let verbs = [
        ("get", &rule.get),
        ("put", &rule.put),
        ("post", &rule.post),
        ("delete", &rule.delete),
        ("patch", &rule.patch),
    ];
    let mut set = verbs.iter().filter_map(|(verb, path)| path.as_ref().map(|path| (*verb, path)));
    if let Some((verb, path)) = set.next() {
        return Ok((verb.to_owned(), path.clone()));
    }
    let Some(custom) = &rule.custom else {
        return wrong("the HTTP rule has no path", "Add for example get: \"/v1/things\".");
    };
    // RFC 9110, section 9.1: a method is a token, and case counts.
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if custom.kind.is_empty() || !custom.kind.bytes().all(token) {
        return wrong(
            format!("`{}` is no HTTP method", custom.kind),
            "Write a method such as \"HEAD\", or \"*\" for all of them.",
        );
    }
    let known = custom.kind.to_ascii_lowercase();
    let kind =
        if verbs.iter().any(|(verb, _)| *verb == known) { known } else { custom.kind.clone() };
    Ok((kind, custom.path.clone()))
}

fn body(rule: &HttpRule, verb: &str, input: &MessageDescriptor) -> Result<(Body, bool), Mistake> {
    if !rule.body.is_empty() && matches!(verb, "get" | "HEAD") {
        return wrong(
            format!("{verb} has no body"),
            "Take the body out: fields come from the query.",
        );
    }
    match rule.body.as_str() {
        "" => Ok((Body::None, false)),
        "*" => Ok((Body::Whole, input.full_name() == HTTP_BODY)),
        name => {
            let field = top_level(input, name, "body")?;
            Ok((Body::Field(name.to_owned()), is_http_body(&field)))
        }
    }
}

fn response_body(
    rule: &HttpRule,
    output: &MessageDescriptor,
) -> Result<(Option<String>, bool), Mistake> {
    match rule.response_body.as_str() {
        "" | "*" => Ok((None, output.full_name() == HTTP_BODY)),
        name => {
            let field = top_level(output, name, "response_body")?;
            Ok((Some(name.to_owned()), is_http_body(&field)))
        }
    }
}

fn top_level(
    message: &MessageDescriptor,
    name: &str,
    option: &str,
) -> Result<FieldDescriptor, Mistake> {
    message.get_field_by_name(name).ok_or_else(|| {
        let message = format!("{} has no field `{name}` for {option}", message.full_name());
        (message, "Name a field of the message itself, or \"*\" for all of it.")
    })
}

fn is_http_body(field: &FieldDescriptor) -> bool {
    let is_http_body =
        matches!(field.kind(), Kind::Message(message) if message.full_name() == HTTP_BODY);
    is_http_body && !field.is_list() && field.containing_oneof().is_none()
}

/// A path variable is one value of a field, reached through singular messages.
fn bindable(input: &MessageDescriptor, variable: &Variable) -> Result<(), Mistake> {
    let mut message = input.clone();
    let path = variable.field.join(".");
    for (index, name) in variable.field.iter().enumerate() {
        let field = message.get_field_by_name(name).ok_or_else(|| {
            let message = format!("{} has no field `{name}`", message.full_name());
            (message, "A path variable names a field of the request.")
        })?;
        let is_last = index + 1 == variable.field.len();
        let textual = matches!(field.kind(), Kind::Message(message) if TEXTUAL.contains(&message.full_name()));
        match field.kind() {
            _ if field.is_list() || field.is_map() => return not_bindable(&path),
            Kind::Message(inner) if !is_last && !textual => message = inner,
            Kind::Message(_) if !(is_last && textual) => return not_bindable(&path),
            _ if !is_last => return not_bindable(&path),
            _ => {}
        }
    }
    Ok(())
}

fn not_bindable(path: &str) -> Result<(), Mistake> {
    wrong(
        format!("field `{path}` cannot be a path variable"),
        "Use a singular text, number, boolean, enum or time, in singular messages.",
    )
}

/// Refuses two routes that can match one request when neither is the more specific.
///
/// Routes meet in one system, whichever deployables answer them, for they can stand behind
/// one address; services that no deployable answers, as in contracts from elsewhere, are
/// taken by their packages.
pub(super) fn check_overlaps(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    let served = |service: &Service| {
        model.deployables.iter().any(|deployable| deployable.serves.contains(&service.full_name))
    };
    let services = || model.packages.iter().flat_map(|package| &package.services);
    check_together(services().filter(|service| served(service)), files, report);
    for package in &model.packages {
        check_together(package.services.iter().filter(|service| !served(service)), files, report);
    }
}

fn check_together<'a>(
    services: impl Iterator<Item = &'a Service>,
    files: &[FileDescriptor],
    report: &mut Report,
) {
    let mut seen: Vec<(String, &Route)> = Vec::new();
    for service in services {
        let descriptor = find_service(files, &service.full_name);
        for method in &service.methods {
            let name = format!("{}.{}", service.full_name, method.name);
            let declared = descriptor.as_ref().and_then(|service| {
                service.methods().find(|candidate| candidate.name() == method.name)
            });
            for route in &method.routes {
                let clash = seen
                    .iter()
                    .find_map(|(other, known)| Some((other, known, clash(known, route)?)));
                if let (Some((other, known, (problem, advice))), Some(declared)) =
                    (clash, &declared)
                {
                    let message =
                        format!("route `{}` {problem} `{}` of {other}", text(route), text(known));
                    let place = HTTP.on(declared.path());
                    report.add(&declared.parent_file(), &place, message, advice);
                }
                seen.push((name.clone(), route));
            }
        }
    }
}

fn text(route: &Route) -> String {
    format!("{} {}", route.verb.to_uppercase(), route.path)
}

/// Why two routes cannot stand beside each other, and what to do about it.
fn clash(a: &Route, b: &Route) -> Option<(&'static str, String)> {
    match overlap::relation(a, b) {
        Relation::Disjoint | Relation::Within | Relation::Around => None,
        Relation::Equal if a.path == b.path => {
            Some(("is already that of", "Change one path or verb.".to_owned()))
        }
        Relation::Equal => {
            let advice = "Change one path or verb: the names of variables do not tell them apart.";
            Some(("matches the same requests as", advice.to_owned()))
        }
        Relation::Crossing => {
            let example = overlap::example(&a.template, &b.template).unwrap_or_default();
            let advice = format!(
                "Both match `{example}`, and neither is the more specific. Change one path so that \
                 no request fits both, or so that it fits nothing that the other does not."
            );
            Some(("can match the same request as", advice))
        }
    }
}
