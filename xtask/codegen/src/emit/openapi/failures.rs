//! Failures: HTTP statuses with the codes of `google.rpc.Code` behind them.

use std::collections::BTreeSet;

use super::{Object, Value, list};
use crate::emit::document::schema::known;

/// Status, name of the component, what it means, and the codes that it stands for.
type Row = (u16, &'static str, &'static str, &'static [Code]);

/// Number, name, and what a caller is told.
type Code = (i32, &'static str, &'static str);

/// The mapping of `google/rpc/code.proto`, and the statuses that precede a code.
const ROWS: [Row; 14] = [
    (
        400,
        "BadRequest",
        "The request is wrong, or not possible in the state of things.",
        &[
            (3, "INVALID_ARGUMENT", "display_name: must not be empty"),
            (9, "FAILED_PRECONDITION", "not possible now"),
            (11, "OUT_OF_RANGE", "past the end"),
        ],
    ),
    (
        401,
        "Unauthenticated",
        "The caller has no token, or one that is not known.",
        &[(16, "UNAUTHENTICATED", "a token is needed")],
    ),
    (
        403,
        "PermissionDenied",
        "The contract does not admit this caller.",
        &[(7, "PERMISSION_DENIED", "not admitted")],
    ),
    (404, "NotFound", "It does not exist.", &[(5, "NOT_FOUND", "it does not exist")]),
    (
        408,
        "RequestTimeout",
        "The body was too slow in coming.",
        &[(1, "CANCELLED", "the body did not arrive in time")],
    ),
    (
        409,
        "Conflict",
        "It exists already, or another change came first.",
        &[(6, "ALREADY_EXISTS", "it exists already"), (10, "ABORTED", "another change came first")],
    ),
    (
        413,
        "PayloadTooLarge",
        "The body is too large.",
        &[(3, "INVALID_ARGUMENT", "the body is too large")],
    ),
    (
        415,
        "UnsupportedMediaType",
        "The body is not JSON.",
        &[(3, "INVALID_ARGUMENT", "the body is not JSON")],
    ),
    (
        429,
        "ResourceExhausted",
        "A quota is spent.",
        &[(8, "RESOURCE_EXHAUSTED", "the quota is spent")],
    ),
    (499, "Cancelled", "The caller gave up.", &[(1, "CANCELLED", "cancelled")]),
    (
        500,
        "Internal",
        "A failure of the server's own.",
        &[
            (13, "INTERNAL", "internal error"),
            (2, "UNKNOWN", "unknown error"),
            (15, "DATA_LOSS", "data is lost"),
        ],
    ),
    (501, "Unimplemented", "It is not offered.", &[(12, "UNIMPLEMENTED", "not offered")]),
    (
        503,
        "Unavailable",
        "Not reachable just now: repeat it later.",
        &[(14, "UNAVAILABLE", "not reachable just now")],
    ),
    (504, "DeadlineExceeded", "Time ran out.", &[(4, "DEADLINE_EXCEEDED", "time ran out")]),
];

/// The name of a status's component.
pub(super) fn name(status: u16) -> &'static str {
    ROWS.iter().find(|row| row.0 == status).map_or("Internal", |row| row.1)
}

/// The schema of a failure.
pub(super) fn status() -> Object {
    known::status().with("description", "A failure (`google/rpc/status.proto`).")
}

/// Components for these statuses.
pub(super) fn responses(statuses: &BTreeSet<u16>) -> Object {
    let used = ROWS.iter().filter(|row| statuses.contains(&row.0));
    used.map(|row| (row.1.to_owned(), response(row).into())).collect()
}

fn response((status, _, description, codes): &Row) -> Object {
    let names: Vec<_> = codes.iter().map(|(_, name, _)| format!("`{name}`")).collect();
    let numbers = list(codes.iter().map(|(number, _, _)| *number));
    let code = Object::new().with("enum", numbers);
    let schema = Object::new()
        .with("$ref", "#/components/schemas/google.rpc.Status")
        .with("properties", Object::new().with("code", code));
    let examples: Object = codes
        .iter()
        .map(|code| (code.1.to_owned(), Object::new().with("value", example(code)).into()))
        .collect();
    let media = Object::new().with("schema", schema).with("examples", examples);
    let header = |name: &str| Object::new().with("$ref", format!("#/components/headers/{name}"));
    let mut headers = Object::new().with("x-request-id", header("RequestId"));
    if *status == 401 {
        headers.set("WWW-Authenticate", header("Authenticate"));
    }
    if matches!(status, 429 | 503) {
        headers.set("Retry-After", header("RetryAfter"));
    }
    Object::new()
        .with("description", format!("{description} Code: {}.", names.join(", ")))
        .with("headers", headers)
        .with("content", Object::new().with("application/json", media))
}

fn example((number, name, message): &Code) -> Object {
    let typed =
        |name: &str| Object::new().with("@type", format!("type.googleapis.com/google.rpc.{name}"));
    let details: Vec<Value> = match *name {
        "INVALID_ARGUMENT" if message.contains(':') => {
            let violation = Object::new()
                .with("field", "display_name")
                .with("description", "must not be empty");
            vec![typed("BadRequest").with("fieldViolations", list([violation])).into()]
        }
        "RESOURCE_EXHAUSTED" | "UNAVAILABLE" => {
            vec![typed("RetryInfo").with("retryDelay", "1.500s").into()]
        }
        _ => Vec::new(),
    };
    Object::new().with("code", *number).with("message", *message).with_list("details", details)
}
