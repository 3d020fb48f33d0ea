//! Services that are answered over a network.

use std::time::Duration;

use heck::ToSnakeCase;
use serde::Serialize;

use super::TypeRef;

/// A service answered over a network.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// For example `AthletesService`.
    pub name: String,
    /// For example `stravasync.athletes.v1.AthletesService`.
    pub full_name: String,
    /// Name of its module, for example `athletes_service`.
    pub module: String,
    /// Comment of the contract.
    pub comment: String,
    /// `deprecated` was set on it.
    pub deprecated: bool,
    /// Its RPCs.
    pub methods: Vec<Method>,
}

/// One RPC.
#[derive(Clone, Debug, Serialize)]
pub struct Method {
    /// For example `GetAthlete`.
    pub name: String,
    /// For example `get_athlete`.
    pub rust_name: String,
    /// Comment of the contract.
    pub comment: String,
    /// `deprecated` was set on it.
    pub deprecated: bool,
    /// Request.
    pub input: TypeRef,
    /// Response.
    pub output: TypeRef,
    /// The caller sends any number of requests.
    pub client_streaming: bool,
    /// The server sends any number of responses.
    pub server_streaming: bool,
    /// Who may call.
    pub access: Vec<Access>,
    /// The server's own deadline.
    pub deadline: Duration,
    /// What repeating a call does.
    pub idempotency: Idempotency,
    /// How clients repeat a failed call; never without harmless repeats.
    pub retry: Option<CallRetry>,
    /// Name of the request's field that holds the idempotency key, or
    /// [`IDEMPOTENCY_METADATA`] where the key travels beside the request.
    pub idempotency_key: Option<String>,
    /// How it answers page by page (AIP-158), when it does.
    pub page: Option<Page>,
    /// HTTP status of success: 200, 201, 202 or 204.
    pub success_status: u16,
    /// HTTP bindings, the first one first.
    pub routes: Vec<Route>,
}

/// A group of callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Access {
    /// Anybody.
    Public,
    /// These deployables.
    Callers(Vec<String>),
    /// Holders of the operator token.
    Operators,
}

/// What repeating a call does (`idempotency_level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Idempotency {
    /// Nothing is promised.
    Unknown,
    /// The call only reads.
    NoSideEffects,
    /// A repeated call has no further effect.
    Idempotent,
}

/// How clients repeat a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CallRetry {
    /// Attempts in all, at least 2.
    pub max_attempts: u32,
    /// Longest wait before the second attempt.
    pub initial_backoff: Duration,
    /// Longest wait before any attempt.
    pub max_backoff: Duration,
    /// Factor from one wait to the next.
    pub multiplier: f64,
    /// How long one attempt may take, when that is less than the whole call.
    pub attempt_deadline: Option<Duration>,
}

/// Name of the header that carries the idempotency key of a request without a field for
/// it. It has a hyphen, so that no field is called so.
pub const IDEMPOTENCY_METADATA: &str = "idempotency-key";

impl Method {
    /// Name in Rust of the request's field that holds the idempotency key.
    #[must_use]
    pub fn key_field(&self) -> Option<String> {
        let name = self.idempotency_key.as_ref()?;
        (name != IDEMPOTENCY_METADATA).then(|| name.to_snake_case())
    }

    /// Whether the idempotency key travels beside the request.
    #[must_use]
    pub fn is_keyed_by_metadata(&self) -> bool {
        self.idempotency_key.as_deref() == Some(IDEMPOTENCY_METADATA)
    }
}

/// The fields by which a method answers page by page (AIP-158), by their Rust names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Name in Rust of the response's repeated field.
    pub items: String,
    /// Type of an item.
    pub item: TypeRef,
}

/// One HTTP binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// `get`, `put`, `post`, `delete`, `patch`, or a custom verb as the contract writes it;
    /// `*` stands for all.
    pub verb: String,
    /// Path as the contract writes it.
    pub path: String,
    /// The same in parts.
    pub template: Template,
    /// What of the request the body is.
    pub body: Body,
    /// Whether that is a `google.api.HttpBody`: the body is its content, not JSON.
    pub raw_body: bool,
    /// Whether a `PATCH` of a field whose `update_mask` is absent changes what its body has.
    pub infers_mask: bool,
    /// Name of the response's field that is the body; all of it when absent.
    pub response_body: Option<String>,
    /// Whether that is a `google.api.HttpBody`.
    pub raw_response: bool,
}

/// A path template (`google/api/http.proto`, section "Path template syntax").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Template {
    /// Segments from the left; those inside of variables stand as they are.
    pub segments: Vec<Segment>,
    /// Variables, each with the segments that it spans.
    pub variables: Vec<Variable>,
    /// What follows the last `:`.
    pub verb: Option<String>,
}

/// A segment of a path template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Segment {
    /// This text, without escapes.
    Literal(String),
    /// `*`: one segment.
    One,
    /// `**`: any number of segments. Only literals follow it.
    Rest,
}

/// A variable of a path template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Names in the contract from the request down to the field.
    pub field: Vec<String>,
    /// Index of its first segment.
    pub start: usize,
    /// Index after its last segment.
    pub end: usize,
}

/// What of a request its HTTP body is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Body {
    /// Nothing: there is no body.
    None,
    /// All of it.
    Whole,
    /// The field of this name in the contract.
    Field(String),
}
