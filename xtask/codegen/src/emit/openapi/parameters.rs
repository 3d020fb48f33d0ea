//! Parameters: of the path, of the query, and the headers that every operation takes.

use super::path::Path;
use super::{Document, Object, Value};
use crate::emit::document::markdown;
use crate::emit::document::schema::{Schemas, is_required, known};
use crate::model::{Body, Field, FieldCardinality, FieldType, Message, Method, Route};

/// Types that libraries bring and that a query can hold: their JSON is one text or number.
const TEXTUAL: [&str; 12] = [
    "google.protobuf.BoolValue",
    "google.protobuf.BytesValue",
    "google.protobuf.DoubleValue",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
    "google.protobuf.FloatValue",
    "google.protobuf.Int32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.StringValue",
    "google.protobuf.Timestamp",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
];

impl<'a> Document<'a> {
    /// Parameters of an operation.
    pub(super) fn parameters(
        &mut self,
        method: &'a Method,
        route: &Route,
        path: &Path,
    ) -> Vec<Value> {
        let request = self.index.message(&method.input);
        let mut parameters: Vec<Value> = Vec::new();
        for parameter in &path.parameters {
            let field = parameter.field.as_ref().and_then(|names| self.field(request?, names));
            let schema = match field {
                Some(field) if parameter.part_of.is_none() => {
                    value_schema(&mut self.schemas, field)
                }
                _ => Object::new().with("type", "string"),
            };
            parameters.push(
                Object::new()
                    .with("name", &parameter.name)
                    .with("in", "path")
                    .with("required", true)
                    .with_text("description", describe(parameter, field))
                    .with_flag("deprecated", field.is_some_and(|field| field.deprecated))
                    .with("schema", schema)
                    .into(),
            );
        }
        if let Some(request) = request.filter(|_| !method.client_streaming) {
            let bound: Vec<String> =
                route.template.variables.iter().map(|variable| variable.field.join(".")).collect();
            let mut query = Query { document: self, bound, parameters: Vec::new() };
            match &route.body {
                Body::Whole => {}
                Body::None => query.message(request, &Prefix::default(), &mut Vec::new()),
                Body::Field(name) => {
                    query.bound.push(name.clone());
                    query.message(request, &Prefix::default(), &mut Vec::new());
                }
            }
            parameters.extend(query.parameters);
        }
        for name in ["RequestTimeout", "RequestId"] {
            let reference = format!("#/components/parameters/{name}");
            parameters.push(Object::new().with("$ref", reference).into());
        }
        parameters
    }

    /// The field at the end of a path of names.
    fn field(&self, message: &'a Message, names: &[String]) -> Option<&'a Field> {
        let (first, rest) = names.split_first()?;
        let field = message.fields.iter().find(|field| field.name == *first)?;
        match &field.ty {
            FieldType::Message { rust, .. } if !rest.is_empty() => {
                self.field(self.index.message(rust)?, rest)
            }
            _ => Some(field),
        }
    }
}

fn describe(parameter: &super::path::Parameter, field: Option<&Field>) -> String {
    let mut text = field.map(|field| markdown::commonmark(&field.comment)).unwrap_or_default();
    let mut add = |more: String| {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&more);
    };
    let filled = parameter.field.as_ref().map(|names| names.join("."));
    if let (Some(pattern), Some(filled)) = (&parameter.part_of, &filled) {
        add(format!("A segment of `{filled}`, which is `{pattern}` as a whole."));
    } else if filled.is_none() {
        add("Any one segment.".to_owned());
    } else if filled.as_ref().is_some_and(|filled| *filled != parameter.name) {
        add(format!("Fills `{}`.", filled.unwrap_or_default()));
    }
    if parameter.rest {
        add("May be several segments, with `/` between them as it is.".to_owned());
    }
    text
}

/// The schema of a value in a path or query, which is never `null`.
fn value_schema<'a>(schemas: &mut Schemas<'a>, field: &'a Field) -> Object {
    let mut schema = schemas.field(field);
    for annotation in ["description", "deprecated", "readOnly", "writeOnly"] {
        schema.remove(annotation);
    }
    if let Some(Value::List(types)) = schema.get("type").cloned()
        && let Some(first) = types.into_iter().next()
    {
        schema.set("type", first);
    }
    schema
}

/// Names in JSON and in the contract from the request down to a message.
#[derive(Clone, Default)]
struct Prefix {
    json: String,
    proto: String,
    required: bool,
}

/// Collects what the query can set.
struct Query<'d, 'a> {
    document: &'d mut Document<'a>,
    /// Fields that path and body hold, by their names in the contract.
    bound: Vec<String>,
    parameters: Vec<Value>,
}

impl<'a> Query<'_, 'a> {
    fn message(&mut self, message: &'a Message, prefix: &Prefix, outer: &mut Vec<&'a str>) {
        // A message within itself would have no end.
        if outer.contains(&message.full_name.as_str()) {
            return;
        }
        outer.push(&message.full_name);
        for field in &message.fields {
            self.field(field, prefix, outer);
        }
        outer.pop();
    }

    fn field(&mut self, field: &'a Field, prefix: &Prefix, outer: &mut Vec<&'a str>) {
        let here = Prefix {
            json: format!("{}{}", prefix.json, field.json_name),
            proto: format!("{}{}", prefix.proto, field.name),
            required: (prefix.required || prefix.json.is_empty()) && is_required(field),
        };
        let output_only = field.behaviors.iter().any(|behavior| behavior == "OUTPUT_ONLY");
        if output_only || self.bound.contains(&here.proto) {
            return;
        }
        let repeated = match field.cardinality {
            FieldCardinality::Map(_) => return,
            FieldCardinality::Repeated => true,
            _ => false,
        };
        match &field.ty {
            FieldType::Message { full_name, .. } if TEXTUAL.contains(&full_name.as_str()) => {}
            FieldType::Message { rust, .. } => {
                if let Some(message) = self.document.index.message(rust).filter(|_| !repeated) {
                    let inner = Prefix {
                        json: format!("{}.", here.json),
                        proto: format!("{}.", here.proto),
                        required: here.required,
                    };
                    self.message(message, &inner, outer);
                }
                return;
            }
            FieldType::Enum { full_name, .. } if full_name == "google.protobuf.NullValue" => return,
            FieldType::Scalar(_) | FieldType::Enum { .. } => {}
        }
        let schema = value_schema(&mut self.document.schemas, field);
        let mut parameter = Object::new()
            .with("name", here.json)
            .with("in", "query")
            .with_text("description", markdown::commonmark(&field.comment))
            .with_flag("required", here.required)
            .with_flag("deprecated", field.deprecated);
        if repeated {
            parameter = parameter.with("style", "form").with("explode", true);
        }
        self.parameters.push(parameter.with("schema", schema).into());
    }
}

/// Headers that every operation takes.
pub(super) fn shared() -> Object {
    let header = |name: &str, description: &str, schema: Object| {
        Object::new()
            .with("name", name)
            .with("in", "header")
            .with("description", description)
            .with("schema", schema)
    };
    let text = || Object::new().with("type", "string");
    Object::new()
        .with(
            "RequestId",
            header(
                "x-request-id",
                "Names the request in logs. It is answered; one is made when it is absent.",
                text(),
            ),
        )
        .with(
            "RequestTimeout",
            header(
                "Request-Timeout",
                "How long the caller waits, in seconds. The server stops by then.",
                Object::new().with("type", "number").with("exclusiveMinimum", 0),
            ),
        )
}

/// Whether a message can be the whole of a request or an answer as it is, not as JSON.
pub(super) fn is_http_body(full_name: &str) -> bool {
    full_name == "google.api.HttpBody"
}

/// The schema of a body that is a field of a message.
pub(super) fn field_body<'a>(schemas: &mut Schemas<'a>, field: &'a Field) -> Object {
    match &field.ty {
        FieldType::Message { full_name, .. } if is_http_body(full_name) => known::schema(full_name),
        _ => schemas.field(field),
    }
}
