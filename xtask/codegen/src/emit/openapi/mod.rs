//! OpenAPI 3.1 of what a deployable answers by HTTP
//! (<https://spec.openapis.org/oas/v3.1.1.html>).
//!
//! OpenAPI cannot say everything that `google.api.http` can; what it cannot is told in
//! words and by extensions: `x-treaty-path` is the path as the contract writes it, and
//! `x-treaty-additional-operations` holds methods and paths that OpenAPI has no place for.

mod failures;
mod operation;
mod parameters;
mod path;
mod responses;

use std::collections::{BTreeMap, BTreeSet};

use super::document::index::{is_public, short};
use super::document::schema::{Dialect, Schemas};
use super::document::{Index, Object, Value, list, markdown};
use crate::File;
use crate::model::{Access, Deployable, Method, Model, Package, Route, Service};

/// Methods that a path item of OpenAPI can hold.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// One document for each deployable that answers HTTP.
pub(super) fn emit(model: &Model) -> Vec<File> {
    let index = Index::new(model);
    let served = model.deployables.iter().filter(|deployable| answers_http(&index, deployable));
    served
        .map(|deployable| {
            let text = Value::from(Document::new(&index, deployable).write()).document();
            File::new(format!("openapi/{}.json", deployable.name), text)
        })
        .collect()
}

/// Whether a deployable serves an RPC with an HTTP binding.
pub(super) fn answers_http(index: &Index<'_>, deployable: &Deployable) -> bool {
    services(index, deployable)
        .any(|(_, service)| service.methods.iter().any(|method| !method.routes.is_empty()))
}

fn services<'a>(
    index: &Index<'a>,
    deployable: &'a Deployable,
) -> impl Iterator<Item = (&'a Package, &'a Service)> {
    let model = index.model;
    deployable.serves.iter().filter_map(|name| model.service(name))
}

/// A document in the making.
struct Document<'a> {
    index: &'a Index<'a>,
    deployable: &'a Deployable,
    schemas: Schemas<'a>,
    /// Names of services that two packages have in common.
    ambiguous: BTreeSet<&'a str>,
    /// Statuses of failures that some operation refers to.
    failures: BTreeSet<u16>,
    paths: Paths,
}

/// Path items by the shape of their path: OpenAPI takes two paths that differ only in the
/// names of their parameters for one.
#[derive(Default)]
struct Paths {
    shapes: BTreeMap<String, usize>,
    items: Vec<(String, Object)>,
}

impl<'a> Document<'a> {
    fn new(index: &'a Index<'a>, deployable: &'a Deployable) -> Self {
        let mut names = BTreeSet::new();
        let mut ambiguous = BTreeSet::new();
        for (_, service) in services(index, deployable) {
            if !names.insert(service.name.as_str()) {
                ambiguous.insert(service.name.as_str());
            }
        }
        Self {
            index,
            deployable,
            schemas: Schemas::new(index, Dialect::Draft2020),
            ambiguous,
            failures: BTreeSet::new(),
            paths: Paths::default(),
        }
    }

    fn write(mut self) -> Object {
        let tags: Vec<Value> = self.tags();
        for (_, service) in services(self.index, self.deployable) {
            for method in &service.methods {
                for (number, route) in method.routes.iter().enumerate() {
                    self.add(service, method, number, route);
                }
            }
        }
        let paths: Object =
            self.paths.items.into_iter().map(|(path, item)| (path, item.into())).collect();
        let mut schemas = Object::new().with("google.rpc.Status", failures::status());
        schemas = schemas.and(self.schemas.components());
        let components = Object::new()
            .with("schemas", schemas)
            .with_object("responses", failures::responses(&self.failures))
            .with("headers", responses::headers())
            .with("parameters", parameters::shared())
            .with_object("securitySchemes", security_schemes(self.index, self.deployable));
        Object::new()
            .with("openapi", "3.1.1")
            .with("info", info(self.index, self.deployable))
            .with("servers", list([Object::new().with("url", "/")]))
            .with("tags", tags)
            .with("paths", paths)
            .with("components", components)
    }

    fn tags(&self) -> Vec<Value> {
        let with_routes = services(self.index, self.deployable)
            .filter(|(_, service)| service.methods.iter().any(|method| !method.routes.is_empty()));
        with_routes
            .map(|(_, service)| {
                Object::new()
                    .with("name", self.service_name(service))
                    .with_text("description", markdown::commonmark(&service.comment))
                    .with("x-treaty-service", &service.full_name)
                    .into()
            })
            .collect()
    }

    /// The service's name; with its package where another has the same.
    fn service_name(&self, service: &'a Service) -> String {
        if self.ambiguous.contains(service.name.as_str()) {
            service.full_name.clone()
        } else {
            short(&service.full_name).to_owned()
        }
    }

    fn add(&mut self, service: &'a Service, method: &'a Method, number: usize, route: &'a Route) {
        let mut path = path::Path::of(&route.template);
        let slot = match self.paths.shapes.get(&path.shape) {
            Some(&slot) => slot,
            None => {
                self.paths.shapes.insert(path.shape.clone(), self.paths.items.len());
                self.paths.items.push((path.text.clone(), Object::new()));
                self.paths.items.len() - 1
            }
        };
        path.rename(&self.paths.items[slot].0);
        let operation = self.operation(service, method, number, route, &path);
        let verb = route.verb.to_lowercase();
        let item = &mut self.paths.items[slot].1;
        if METHODS.contains(&verb.as_str()) && item.get(&verb).is_none() {
            item.set(verb, operation);
        } else {
            const MORE: &str = "x-treaty-additional-operations";
            let mut more = match item.remove(MORE) {
                Some(Value::List(items)) => items,
                _ => Vec::new(),
            };
            more.push(
                Object::new().with("method", &route.verb).with("operation", operation).into(),
            );
            item.set(MORE, more);
        }
    }
}

fn info(index: &Index<'_>, deployable: &Deployable) -> Object {
    let versions: BTreeSet<&str> =
        services(index, deployable).map(|(package, _)| short(&package.name)).collect();
    let mut description = markdown::commonmark(&deployable.comment);
    if !description.is_empty() {
        description.push_str("\n\n");
    }
    description.push_str(CONVENTIONS);
    Object::new()
        .with("title", &deployable.name)
        .with("version", versions.into_iter().collect::<Vec<_>>().join(", "))
        .with("description", description)
}

/// What holds for every operation.
const CONVENTIONS: &str = "\
Messages are [proto3 JSON](https://protobuf.dev/programming-guides/json/): integers of 64 bits are \
texts, bytes are base64, times are RFC 3339, durations are seconds with an `s`, and fields that \
have their default are left out. A field may be sent by its name in the contract as well, and \
`null` is the same as absent; an unknown field or parameter is refused. An enum's value that this \
document does not know is a number.

A failure is a `google.rpc.Status`; its `code` says what to do, its `details` say more.";

/// How callers prove themselves, for the rules that this deployable's methods have.
fn security_schemes(index: &Index<'_>, deployable: &Deployable) -> Object {
    let methods = || {
        services(index, deployable)
            .flat_map(|(_, service)| &service.methods)
            .filter(|method| !method.routes.is_empty())
    };
    let bearer = |description: &str| {
        Object::new().with("type", "http").with("scheme", "bearer").with("description", description)
    };
    let has_callers = |access: &Access| matches!(access, Access::Callers(_));
    let mut schemes = Object::new();
    if methods().any(|method| method.access.iter().any(has_callers)) {
        schemes
            .set("caller", bearer("The token of a deployable whose contract declares the call."));
    }
    if methods().any(|method| method.access.contains(&Access::Operators)) {
        schemes.set("operator", bearer("The operator token."));
    }
    schemes
}

/// The access rule of a method; any one of its entries is enough.
fn security(method: &Method) -> Value {
    if is_public(method) {
        return Value::List(Vec::new());
    }
    list(method.access.iter().map(|access| {
        let scheme = if matches!(access, Access::Operators) { "operator" } else { "caller" };
        Object::new().with(scheme, Value::List(Vec::new()))
    }))
}
