//! Who may call what: the access policy of every RPC, for meshes and reviews.

use serde::Serialize;

use super::json;
use crate::File;
use crate::model::{Access, Method, Model, Service};

#[derive(Serialize)]
struct Policy<'a> {
    /// One rule for each RPC, by its name.
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    /// Path of the RPC by gRPC, for example `/acme.orders.v1.OrdersService/GetOrder`.
    rpc: String,
    /// Its HTTP bindings, for example `GET /v1/orders/{order_id}`.
    http: Vec<String>,
    /// The deployable that answers; none when nobody serves it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    /// Anybody may call.
    public: bool,
    /// Holders of the operator token may call.
    operators: bool,
    /// Deployables that may call.
    callers: &'a [String],
}

/// Writes `ops/access.json`.
pub(super) fn emit(model: &Model) -> File {
    let services = model.packages.iter().flat_map(|package| &package.services);
    let mut rules: Vec<_> = services
        .flat_map(|service| service.methods.iter().map(|method| rule(model, service, method)))
        .collect();
    rules.sort_by(|a, b| a.rpc.cmp(&b.rpc));
    json("access.json", &Policy { rules })
}

fn rule<'a>(model: &'a Model, service: &Service, method: &'a Method) -> Rule<'a> {
    let serves = |name: &String| *name == service.full_name;
    let server = model.deployables.iter().find(|deployable| deployable.serves.iter().any(serves));
    let callers = method.access.iter().find_map(|access| match access {
        Access::Callers(names) => Some(names.as_slice()),
        Access::Public | Access::Operators => None,
    });
    let http = method.routes.iter().map(|route| {
        let verb = route.verb.to_uppercase();
        format!("{verb} {}", route.path)
    });
    Rule {
        rpc: format!("/{}/{}", service.full_name, method.name),
        http: http.collect(),
        server: server.map(|deployable| deployable.name.as_str()),
        public: method.access.contains(&Access::Public),
        operators: method.access.contains(&Access::Operators),
        callers: callers.unwrap_or_default(),
    }
}
