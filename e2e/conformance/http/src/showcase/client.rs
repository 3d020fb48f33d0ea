//! Writes a message as a request, apart from all code of the gateway.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// A request as it goes over the wire.
pub struct Call {
    pub verb: &'static str,
    pub uri: String,
    pub body: Option<String>,
}

/// The fields in the path of `RepeatDataSimplePath`, in its order.
const SIMPLE: [&str; 5] =
    ["info.fString", "info.fInt32", "info.fDouble", "info.fBool", "info.fKingdom"];

/// Writes the request that stands in the suite as JSON.
pub fn write(rpc: &str, request: &Value) -> Result<Call, String> {
    let whole = |verb, end: &str| Call {
        verb,
        uri: format!("/v1beta1/repeat:{end}"),
        body: Some(request.to_string()),
    };
    let text = |path: &str| at(request, path);
    let query = |path: String, used: &[&str]| Call {
        verb: "GET",
        uri: with_query(path, request, used),
        body: None,
    };
    let name = rpc.strip_prefix("Compliance.").ok_or("no call of Compliance")?;
    Ok(match name {
        "RepeatDataBody" => whole("POST", "body"),
        "RepeatDataBodyPut" => whole("PUT", "bodyput"),
        "RepeatDataBodyPatch" => whole("PATCH", "bodypatch"),
        "RepeatDataBodyInfo" => Call {
            verb: "POST",
            uri: with_query("/v1beta1/repeat:bodyinfo".to_owned(), request, &["info"]),
            body: Some(request.get("info").unwrap_or(&Value::Object(Map::new())).to_string()),
        },
        "RepeatDataQuery" => query("/v1beta1/repeat:query".to_owned(), &[]),
        "RepeatDataSimplePath" => {
            let parts: Vec<_> = SIMPLE.iter().map(|path| escaped(&text(path), false)).collect();
            query(format!("/v1beta1/repeat/{}:simplepath", parts.join("/")), &SIMPLE)
        }
        "RepeatDataPathResource" => {
            let (own, child) = (text("info.fString"), text("info.fChild.fString"));
            let is_own_first = own.starts_with("first/");
            let (first, second, end) = if is_own_first {
                (own, child, "pathresource")
            } else {
                (child, own, "childfirstpathresource")
            };
            let (first, second) = (escaped(&first, true), escaped(&second, true));
            let path =
                format!("/v1beta1/repeat/{first}/{second}/bool/{}:{end}", text("info.fBool"));
            query(path, &["info.fString", "info.fChild.fString", "info.fBool"])
        }
        "RepeatDataPathTrailingResource" => {
            let (own, child) = (text("info.fString"), text("info.fChild.fString"));
            let (own, child) = (escaped(&own, true), escaped(&child, true));
            let path = format!("/v1beta1/repeat/{own}/{child}:pathtrailingresource");
            query(path, &["info.fString", "info.fChild.fString"])
        }
        other => return Err(format!("no call `{other}` is known")),
    })
}

/// The value of a field as text; of one that is not set, its default.
fn at(request: &Value, path: &str) -> String {
    let value = path.split('.').try_fold(request, |value, name| value.get(name));
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None if path.ends_with("fBool") => "false".to_owned(),
        None if path.ends_with("fKingdom") => "LIFE_KINGDOM_UNSPECIFIED".to_owned(),
        None if path.ends_with("fString") => String::new(),
        None => "0".to_owned(),
    }
}

fn with_query(path: String, request: &Value, used: &[&str]) -> String {
    let mut parts = Vec::new();
    if let Value::Object(fields) = request {
        flatten("", fields, used, &mut parts);
    }
    if parts.is_empty() { path } else { format!("{path}?{}", parts.join("&")) }
}

fn flatten(before: &str, fields: &Map<String, Value>, used: &[&str], parts: &mut Vec<String>) {
    for (name, value) in fields {
        let path = format!("{before}{name}");
        if used.contains(&path.as_str()) {
            continue;
        }
        match value {
            Value::Object(inner) => flatten(&format!("{path}."), inner, used, parts),
            Value::String(text) => parts.push(format!("{path}={}", escaped(text, false))),
            other => parts.push(format!("{path}={}", escaped(&other.to_string(), false))),
        }
    }
}

/// Everything but unreserved characters (RFC 3986, section 2.3) escaped, and slashes too
/// unless they part segments.
fn escaped(text: &str, keeps_slashes: bool) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_plain || (keeps_slashes && byte == b'/') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}
