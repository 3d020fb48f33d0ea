//! HTTP bindings from `google.api.http`.

use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::options::{HTTP, HttpRule, extension};
use super::source::Report;
use super::{find_service, names};
use crate::load::Contracts;
use crate::model::{
    Binding, BindingKind, Body, Cardinality, Model, Route, Segment, Template, Variable,
};

/// Well-known types whose JSON is a text and which can so stand in a query.
const TEXTUAL: [&str; 3] =
    ["google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"];

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
            route(rule, &method.input())
                .map_err(|(message, advice)| report.add(file, &place, message, advice))
                .ok()
        })
        .collect()
}

type Mistake = (String, &'static str);

fn route(rule: &HttpRule, input: &MessageDescriptor) -> Result<Route, Mistake> {
    if rule.custom.is_some() || !rule.response_body.is_empty() || !rule.selector.is_empty() {
        let advice = "Use get, put, post, delete or patch, without response_body and selector.";
        return Err(("this HTTP rule cannot be generated yet".into(), advice));
    }
    let verbs = [
        ("get", &rule.get),
        ("put", &rule.put),
        ("post", &rule.post),
        ("delete", &rule.delete),
        ("patch", &rule.patch),
    ];
    let mut set = verbs.iter().filter_map(|(verb, path)| path.as_ref().map(|path| (*verb, path)));
    let Some((verb, path)) = set.next() else {
        return Err(("the HTTP rule has no path".into(), "Add for example get: \"/v1/things\"."));
    };
    let body = body(rule, verb)?;
    for variable in variables(path)? {
        bindable(input, variable)?;
    }
    Ok(Route {
        verb: verb.to_owned(),
        path: path.clone(),
        template: template(path),
        body,
        response_body: None,
    })
}

/// The parts of a path that has been checked.
fn template(path: &str) -> Template {
    let mut template = Template::default();
    for (index, segment) in path.trim_start_matches('/').split('/').enumerate() {
        let variable = segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
        template.segments.push(match variable {
            Some(_) => Segment::One,
            None => Segment::Literal(segment.to_owned()),
        });
        template.variables.extend(variable.map(|name| Variable {
            field: vec![name.to_owned()],
            start: index,
            end: index + 1,
        }));
    }
    template
}

fn body(rule: &HttpRule, verb: &str) -> Result<Body, Mistake> {
    match rule.body.as_str() {
        "" => Ok(Body::None),
        "*" if verb == "get" || verb == "delete" => {
            Err((format!("{verb} has no body"), "Take the body out: fields come from the query."))
        }
        "*" => Ok(Body::Whole),
        field => Err((
            format!("a body of the one field `{field}` cannot be generated yet"),
            "Use body: \"*\".",
        )),
    }
}

/// The names of a path's variables.
fn variables(path: &str) -> Result<Vec<&str>, Mistake> {
    let advice = "Write segments of letters, digits, `-`, `_`, `.` and `~`, or `{field}`.";
    let wrong = || (format!("path `{path}` cannot be generated"), advice);
    let rest = path.strip_prefix('/').ok_or_else(wrong)?;
    let mut names = Vec::new();
    for segment in rest.split('/') {
        let variable = segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
        let checked = variable.unwrap_or(segment);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        if matches!(checked, "" | "." | "..") || !checked.chars().all(plain) {
            return Err(wrong());
        }
        if variable.is_some_and(|variable| names.contains(&variable)) {
            let message = format!("path `{path}` has variable `{checked}` twice");
            return Err((message, "Let each variable stand for another field."));
        }
        names.extend(variable);
    }
    Ok(names)
}

/// A path variable is one required value of a top-level field.
fn bindable(input: &MessageDescriptor, variable: &str) -> Result<(), Mistake> {
    let field = input.get_field_by_name(variable).ok_or_else(|| {
        let message = format!("{} has no field `{variable}`", input.full_name());
        (message, "A path variable names a field of the request.")
    })?;
    match binding(&field) {
        Some(binding) if binding.cardinality == Cardinality::Singular => Ok(()),
        _ => Err((
            format!("field `{variable}` cannot be a path variable"),
            "Use a singular text, number, boolean or enum.",
        )),
    }
}

/// Everything that the path and query of a request can set.
pub(super) fn bindings(input: &MessageDescriptor) -> Vec<Binding> {
    input.fields().filter_map(|field| binding(&field)).collect()
}

fn binding(field: &FieldDescriptor) -> Option<Binding> {
    let kind = match field.kind() {
        Kind::Message(message) if TEXTUAL.contains(&message.full_name()) => {
            BindingKind::WellKnown(names::message_type(&message))
        }
        Kind::Message(_) => return None,
        Kind::Enum(enumeration) => BindingKind::Enum(names::enum_type(&enumeration)),
        scalar => BindingKind::Scalar(reader(&scalar).to_owned()),
    };
    if field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()) {
        return None;
    }
    let optional = field.supports_presence();
    Some(Binding {
        name: field.name().to_owned(),
        json_name: field.json_name().to_owned(),
        rust_name: names::field(field),
        kind,
        cardinality: match (field.is_list(), optional) {
            (true, _) => Cardinality::Repeated,
            (false, true) => Cardinality::Optional,
            (false, false) => Cardinality::Singular,
        },
    })
}

/// The name of the reader in the runtime.
fn reader(kind: &Kind) -> &'static str {
    match kind {
        Kind::Double => "double",
        Kind::Float => "float",
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "int32",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "int64",
        Kind::Uint32 | Kind::Fixed32 => "uint32",
        Kind::Uint64 | Kind::Fixed64 => "uint64",
        Kind::Bool => "bool",
        Kind::Bytes => "bytes",
        Kind::String | Kind::Message(_) | Kind::Enum(_) => "string",
    }
}

/// Refuses two routes that can match one request.
pub(super) fn check_overlaps(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    let services = model.packages.iter().flat_map(|package| &package.services);
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
fn clash(a: &Route, b: &Route) -> Option<(&'static str, &'static str)> {
    if a.path == b.path {
        let advice = "Change one path or verb.";
        return (a.verb == b.verb).then_some(("is already that of", advice));
    }
    let (left, right): (Vec<_>, Vec<_>) =
        (a.path.split('/').collect(), b.path.split('/').collect());
    let variable = |segment: &str| segment.starts_with('{');
    let pairs = || left.iter().zip(&right);
    if left.len() != right.len() || !pairs().all(|(x, y)| x == y || variable(x) || variable(y)) {
        return None;
    }
    // A router chooses by path first and by verb then: a path of its own that
    // another one covers hides that one's verbs, so the verbs need not be the same.
    if pairs().all(|(x, y)| x == y || (variable(x) && variable(y))) {
        return Some(("differs only in names of variables from", "Name the variables alike."));
    }
    let advice = "Change one path so that no request fits both.";
    Some(("can match the same request as", advice))
}
