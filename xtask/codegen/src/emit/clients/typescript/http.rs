//! The client of the JSON gateway: a class for each service, with a function for each RPC
//! that has a route.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use heck::ToShoutySnakeCase as _;

use super::super::HEADER;
use super::super::paged;
use super::{docs, function, origin, type_name, up};
use crate::File;
use crate::model::{
    Body, Field, FieldType, Message, Method, Model, Package, Route, Segment, Service, TypeRef,
};

const HTTP_BODY: &str = "google.api.HttpBody";

pub(super) fn emit(model: &Model, package: &Package, directory: &str) -> Vec<File> {
    let http = Http { model, package };
    let services: Vec<_> = package
        .services
        .iter()
        .map(|service| (service, http.calls(service)))
        .filter(|(_, calls)| !calls.is_empty())
        .collect();
    if services.is_empty() {
        return Vec::new();
    }
    vec![
        File::new(format!("{directory}http.js"), http.code(&services)),
        File::new(format!("{directory}http.d.ts"), http.declarations(&services)),
    ]
}

/// An RPC with its first route, which is the one to call.
struct Call<'a> {
    method: &'a Method,
    route: &'a Route,
    /// None for a message of a library, such as `google.protobuf.Empty`.
    request: Option<&'a Message>,
}

struct Http<'a> {
    model: &'a Model,
    package: &'a Package,
}

type Services<'a> = [(&'a Service, Vec<Call<'a>>)];

impl Http<'_> {
    /// The RPCs that `fetch` can call: not those that send a stream, or a body that is no JSON.
    fn calls<'s>(&'s self, service: &'s Service) -> Vec<Call<'s>> {
        let methods = service.methods.iter().filter(|method| !method.client_streaming);
        let calls = methods.filter_map(|method| {
            let route = method.routes.first()?;
            let request = self.model.message(&method.input);
            let body = match &route.body {
                Body::Field(name) => field(request, name),
                _ => None,
            };
            let raw = body.is_some_and(|field| {
                matches!(&field.ty, FieldType::Message { full_name, .. } if full_name == HTTP_BODY)
            });
            (!raw).then_some(Call { method, route, request })
        });
        calls.collect()
    }

    fn code(&self, services: &Services<'_>) -> String {
        let mut text = format!("// {HEADER}\n");
        let paged = services
            .iter()
            .any(|(service, calls)| calls.iter().any(|call| self.page(service, call).is_some()));
        if paged {
            let up = up(&self.package.name);
            let _ = write!(text, "\nimport {{ pages }} from \"{up}gateway.js\";\n");
        }
        for (service, calls) in services {
            let _ = write!(
                text,
                "\nexport class {}Http {{\n  #gateway;\n\n  constructor(gateway) {{\n    \
                 this.#gateway = gateway;\n  }}\n",
                service.name
            );
            for call in calls {
                let name = function(&call.method.name);
                let constant = constant(service, call.method);
                let send = if call.method.server_streaming { "stream" } else { "call" };
                let _ = write!(
                    text,
                    "\n  {name}(request, options) {{\n    \
                     return this.#gateway.{send}({constant}, request, options);\n  }}\n"
                );
                if let Some(fields) = self.page(service, call) {
                    let _ = write!(
                        text,
                        "\n  {name}All(request = {{}}, options) {{\n    \
                         const list = (page) => this.{name}(page, options);\n    \
                         return pages(list, request, {fields});\n  }}\n"
                    );
                }
            }
            text.push_str("}\n");
        }
        for (service, calls) in services {
            for call in calls {
                let constant = constant(service, call.method);
                let _ = write!(text, "\nconst {constant} = {{\n{}}};\n", self.route(call));
            }
        }
        text
    }

    /// The fields of a route, a line each.
    fn route(&self, call: &Call<'_>) -> String {
        let Call { method, route, request } = call;
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "  {name}: {value},");
        };
        line("verb", string(&route.verb.to_uppercase()));
        line("path", string(&self.path(*request, route)));
        match &route.body {
            Body::None => {}
            Body::Whole => line("body", string("*")),
            Body::Field(name) => line("body", string(json_name(*request, name))),
        }
        let response = self.model.message(&method.output);
        if let Some(name) = &route.response_body {
            line("responseBody", string(json_name(response, name)));
        }
        if is_http_body(&method.output) {
            line("raw", "true".to_owned());
        }
        if !method.server_streaming {
            line("timeoutMs", milliseconds(method.deadline));
        }
        if let Some(retry) = &method.retry {
            let waits = [retry.initial_backoff, retry.max_backoff].map(milliseconds);
            let mut value = format!(
                "{{ maxAttempts: {}, initialBackoffMs: {}, maxBackoffMs: {}, multiplier: {}",
                retry.max_attempts, waits[0], waits[1], retry.multiplier
            );
            if let Some(attempt) = retry.attempt_deadline {
                let _ = write!(value, ", attemptMs: {}", milliseconds(attempt));
            }
            line("retry", value + " }");
        }
        match &method.idempotency_key {
            Some(key) if method.is_keyed_by_metadata() => line("idempotencyHeader", string(key)),
            Some(key) => line("idempotencyField", string(json_name(*request, key))),
            None => {}
        }
        text
    }

    /// The template with JSON names, by which messages are asked for a variable's value.
    fn path(&self, request: Option<&Message>, route: &Route) -> String {
        let template = &route.template;
        let segment = |segment: &Segment| match segment {
            Segment::Literal(text) => text.clone(),
            Segment::One => "*".to_owned(),
            Segment::Rest => "**".to_owned(),
        };
        let mut parts = Vec::new();
        let mut index = 0;
        while index < template.segments.len() {
            let variable = template.variables.iter().find(|variable| variable.start == index);
            let Some(variable) = variable else {
                parts.push(segment(&template.segments[index]));
                index += 1;
                continue;
            };
            let spanned = template.segments.get(index..variable.end).unwrap_or_default();
            let pattern = spanned.iter().map(segment).collect::<Vec<_>>().join("/");
            let name = self.json_path(request, &variable.field);
            parts.push(if pattern == "*" {
                format!("{{{name}}}")
            } else {
                format!("{{{name}={pattern}}}")
            });
            index = variable.end.max(index + 1);
        }
        let verb = template.verb.as_ref().map(|verb| format!(":{verb}")).unwrap_or_default();
        format!("/{}{verb}", parts.join("/"))
    }

    /// A path of fields in JSON names.
    fn json_path(&self, request: Option<&Message>, fields: &[String]) -> String {
        let mut message = request;
        let mut names = Vec::new();
        for name in fields {
            names.push(json_name(message, name));
            let field = field(message, name);
            message = field.and_then(|field| self.model.message(field.ty.rust()?));
        }
        names.join(".")
    }

    /// The names by which pages are walked, when the RPC has some.
    fn page(&self, service: &Service, call: &Call<'_>) -> Option<String> {
        let paged = paged::of(self.model, self.package, service);
        let page = paged.into_iter().find(|page| page.method.name == call.method.name)?;
        let response = self.model.message(&call.method.output);
        Some(format!(
            "{{ token: {}, next: {}, items: {} }}",
            string(json_name(call.request, "page_token")),
            string(json_name(response, "next_page_token")),
            string(page.items_json)
        ))
    }

    fn declarations(&self, services: &Services<'_>) -> String {
        let mut imports: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
        let mut body = String::new();
        for (service, calls) in services {
            body.push('\n');
            body.push_str(&docs(&service.comment, ""));
            let _ = write!(
                body,
                "export declare class {}Http {{\n  constructor(gateway: Gateway);\n",
                service.name
            );
            for call in calls {
                self.declare(service, call, &mut imports, &mut body);
            }
            body.push_str("}\n");
        }
        let mut text = format!("// {HEADER}\n\n");
        let up = up(&self.package.name);
        let _ = writeln!(text, "import type {{ CallOptions, Gateway }} from \"{up}gateway.js\";");
        for (module, (alias, mut names)) in imports {
            names.sort();
            names.dedup();
            let _ = if alias.is_empty() {
                let names = names.join(",\n  ");
                writeln!(text, "import type {{\n  {names},\n}} from \"{module}\";")
            } else {
                writeln!(text, "import type * as {alias} from \"{module}\";")
            };
        }
        text + &body
    }

    fn declare(
        &self,
        service: &Service,
        call: &Call<'_>,
        imports: &mut BTreeMap<String, (String, Vec<String>)>,
        text: &mut String,
    ) {
        let Call { method, route, .. } = call;
        let mut named = |reference: &TypeRef| {
            let name = format!("{}Json", type_name(self.model, reference));
            let origin = origin(&self.package.name, reference);
            let (alias, names) = imports.entry(origin.module).or_default();
            alias.clone_from(&origin.alias);
            names.push(name.clone());
            if origin.alias.is_empty() { name } else { format!("{}.{name}", origin.alias) }
        };
        let request = named(&method.input);
        let response =
            if is_http_body(&method.output) { "Blob".to_owned() } else { named(&method.output) };
        let answer = if method.server_streaming {
            format!("AsyncGenerator<{response}, void, undefined>")
        } else {
            format!("Promise<{response}>")
        };
        let mut comment = method.comment.clone();
        let _ = write!(comment, "\n\n`{} {}`", route.verb.to_uppercase(), route.path);
        if method.deprecated {
            comment.push_str("\n\n@deprecated");
        }
        let name = function(&method.name);
        let _ = write!(
            text,
            "\n{}  {name}(\n    request?: {request},\n    options?: CallOptions,\n  ): {answer};\n",
            docs(&comment, "  ")
        );
        if self.page(service, call).is_some()
            && let Some(page) = &method.page
        {
            let item = named(&page.item);
            let comment = format!(
                "Walks the pages of `{name}` and gives every item, from the request's page on."
            );
            let _ = write!(
                text,
                "\n{}  {name}All(\n    request?: {request},\n    options?: CallOptions,\n  \
                 ): AsyncGenerator<{item}, void, undefined>;\n",
                docs(&comment, "  ")
            );
        }
    }
}

fn is_http_body(reference: &TypeRef) -> bool {
    reference.package == "google.api" && reference.path == "HttpBody"
}

/// A service's and an RPC's name as a constant: two services may have the same RPC.
fn constant(service: &Service, method: &Method) -> String {
    format!("{}_{}", service.name, method.name).to_shouty_snake_case()
}

fn field<'a>(message: Option<&'a Message>, name: &str) -> Option<&'a Field> {
    message?.fields.iter().find(|field| field.name == name)
}

fn json_name<'a>(message: Option<&'a Message>, name: &'a str) -> &'a str {
    field(message, name).map_or(name, |field| field.json_name.as_str())
}

fn milliseconds(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// A literal of JavaScript.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
