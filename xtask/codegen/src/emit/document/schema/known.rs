//! Types that libraries bring, as proto3 JSON writes them.

use super::{Object, list};

/// The JSON Schema of a message or enum that is not of the contracts.
pub(in crate::emit) fn schema(full_name: &str) -> Object {
    let typed = |name: &str| Object::new().with("type", name);
    let nullable = |name: &str| Object::new().with("type", list([name, "null"]));
    match full_name {
        "google.protobuf.Timestamp" => typed("string").with("format", "date-time"),
        "google.protobuf.Duration" => {
            typed("string").with("pattern", r"^-?[0-9]+(\.[0-9]{1,9})?s$")
        }
        "google.protobuf.FieldMask" => typed("string").with(
            "pattern",
            r"^([A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*(,[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*)*)?$",
        ),
        "google.protobuf.BoolValue" => nullable("boolean"),
        "google.protobuf.Int32Value" => nullable("integer").with("format", "int32"),
        "google.protobuf.UInt32Value" => {
            nullable("integer").with("format", "uint32").with("minimum", 0)
        }
        "google.protobuf.Int64Value" => {
            nullable("string").with("format", "int64").with("pattern", "^-?[0-9]+$")
        }
        "google.protobuf.UInt64Value" => {
            nullable("string").with("format", "uint64").with("pattern", "^[0-9]+$")
        }
        "google.protobuf.FloatValue" => nullable_float("float"),
        "google.protobuf.DoubleValue" => nullable_float("double"),
        "google.protobuf.StringValue" => nullable("string"),
        "google.protobuf.BytesValue" => nullable("string").with("contentEncoding", "base64"),
        "google.protobuf.Struct" => typed("object").with("additionalProperties", true),
        "google.protobuf.ListValue" => typed("array").with("items", Object::new()),
        "google.protobuf.Value" => Object::new().with("description", "Any JSON value."),
        "google.protobuf.NullValue" => typed("null"),
        "google.protobuf.Empty" => typed("object").with("maxProperties", 0),
        "google.protobuf.Any" => any(),
        "google.rpc.Status" => status(),
        "google.api.HttpBody" => http_body(),
        other => typed("object").with("description", format!("Message `{other}`.")),
    }
}

fn nullable_float(format: &str) -> Object {
    let number = Object::new().with("type", list(["number", "null"])).with("format", format);
    let names = list(["NaN", "Infinity", "-Infinity"]);
    Object::new()
        .with("anyOf", list([number, Object::new().with("type", "string").with("enum", names)]))
}

fn any() -> Object {
    let url = Object::new()
        .with("type", "string")
        .with("description", "URL whose last segment is the full name of the message.");
    Object::new()
        .with("type", "object")
        .with("required", list(["@type"]))
        .with("properties", Object::new().with("@type", url))
        .with("additionalProperties", true)
}

/// The failure of a call (`google/rpc/status.proto`).
pub(in crate::emit) fn status() -> Object {
    let described = |schema: Object, text: &str| schema.with("description", text);
    let integer = Object::new().with("type", "integer").with("format", "int32");
    let text = Object::new().with("type", "string");
    let details = Object::new().with("type", "array").with("items", any());
    let properties = Object::new()
        .with("code", described(integer, "Number of the `google.rpc.Code`."))
        .with("message", described(text, "What went wrong, for a developer."))
        .with("details", described(details, "What is known besides, each by its type."));
    Object::new().with("type", "object").with("properties", properties)
}

/// A body as a field of a message; as a whole answer it is the bytes themselves.
fn http_body() -> Object {
    let text = || Object::new().with("type", "string");
    let extensions = Object::new().with("type", "array").with("items", any());
    let properties = Object::new()
        .with("contentType", text())
        .with("data", text().with("contentEncoding", "base64"))
        .with("extensions", extensions);
    Object::new().with("type", "object").with("properties", properties)
}
