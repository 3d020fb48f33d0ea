//! What the contracts say, as plain data: the only thing that emitters see.
//!
//! Everything here has been checked by [`crate::lower`]; an emitter never fails.

use std::time::Duration;

use serde::Serialize;

/// All contracts together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Model {
    /// Proto packages that hold definitions, by name.
    pub packages: Vec<Package>,
    /// Deployable services, by name.
    pub deployables: Vec<Deployable>,
}

/// One proto package, which becomes one crate.
#[derive(Clone, Debug, Serialize)]
pub struct Package {
    /// For example `stravasync.athletes.v1`.
    pub name: String,
    /// For example `stravasync-athletes-v1`.
    pub crate_name: String,
    /// Name of its module in a port, for example `athletes_v1`.
    pub module: String,
    /// Comment of the `package` statement.
    pub comment: String,
    /// Other generated packages that its types refer to.
    pub dependencies: Vec<String>,
    /// Messages, nested ones included.
    pub messages: Vec<Message>,
    /// Top-level enums' and messages' Rust names, in order.
    pub types: Vec<String>,
    /// Services answered over a network.
    pub services: Vec<Service>,
    /// Services that are Temporal workflows and activities.
    pub workflows: Vec<WorkflowService>,
    /// Streams declared here.
    pub streams: Vec<Stream>,
    /// Events declared here.
    pub events: Vec<Event>,
}

/// A type by the package that holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TypeRef {
    /// Proto package; `google.protobuf` for the well-known types.
    pub package: String,
    /// Rust path below the package's crate, for example `athlete::Kind`.
    pub path: String,
}

/// A message.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// The Rust type.
    pub rust: TypeRef,
    /// Full proto name.
    pub full_name: String,
    /// Fields in order of declaration; those of a oneof count as one, by the oneof's name.
    pub fields: Vec<Field>,
    /// Its oneofs, each of which is an enum in Rust.
    pub oneofs: Vec<Oneof>,
    /// Types that its fields refer to, for the closure of a port.
    pub refers: Vec<TypeRef>,
}

impl Message {
    /// Whether a field of it must not be printed.
    #[must_use]
    pub fn is_redacted(&self) -> bool {
        let variants = self.oneofs.iter().flat_map(|oneof| &oneof.variants);
        self.fields.iter().chain(variants).any(|field| field.redacted)
    }
}

/// A oneof of a message.
#[derive(Clone, Debug, Serialize)]
pub struct Oneof {
    /// The Rust enum.
    pub rust: TypeRef,
    /// Its variants.
    pub variants: Vec<Field>,
}

/// A field of a message, or a variant of a oneof.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Name of the struct's field or the enum's variant.
    pub rust_name: String,
    /// `debug_redact` was set on it.
    pub redacted: bool,
}

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
    /// Its RPCs.
    pub methods: Vec<Method>,
}

/// One unary RPC.
#[derive(Clone, Debug, Serialize)]
pub struct Method {
    /// For example `GetAthlete`.
    pub name: String,
    /// For example `get_athlete`.
    pub rust_name: String,
    /// Comment of the contract.
    pub comment: String,
    /// Request.
    pub input: TypeRef,
    /// Response.
    pub output: TypeRef,
    /// Who may call.
    pub access: Vec<Access>,
    /// The server's own deadline.
    pub deadline: Duration,
    /// HTTP bindings, the first one first.
    pub routes: Vec<Route>,
    /// What of the request a route's path and query can set.
    pub bindings: Vec<Binding>,
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

/// One HTTP binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// `get`, `put`, `post`, `delete` or `patch`.
    pub verb: String,
    /// Path with `{variable}` segments.
    pub path: String,
    /// Whether the whole request is the body.
    pub body: bool,
}

/// A request field that a path or query can set.
#[derive(Clone, Debug, Serialize)]
pub struct Binding {
    /// Name in the contract.
    pub name: String,
    /// Name in JSON.
    pub json_name: String,
    /// Name of the struct's field.
    pub rust_name: String,
    /// How its text is read.
    pub kind: BindingKind,
    /// How often it may stand.
    pub cardinality: Cardinality,
}

/// How a text becomes a field's value.
#[derive(Clone, Debug, Serialize)]
pub enum BindingKind {
    /// A scalar, by the name of the reader, for example `int32`.
    Scalar(String),
    /// An enum by name or number.
    Enum(TypeRef),
    /// A well-known type whose JSON is a text.
    WellKnown(TypeRef),
}

/// How often a field may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Cardinality {
    /// Once, with a default.
    Singular,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Repeated,
}

/// A service that is a set of Temporal workflows and activities.
#[derive(Clone, Debug, Serialize)]
pub struct WorkflowService {
    /// For example `DispatchService`.
    pub name: String,
    /// Full proto name.
    pub full_name: String,
    /// Name of its module.
    pub module: String,
    /// Comment of the contract.
    pub comment: String,
    /// Task queue.
    pub task_queue: String,
    /// Workflows.
    pub workflows: Vec<Workflow>,
    /// Activities.
    pub activities: Vec<Activity>,
}

/// A workflow.
#[derive(Clone, Debug, Serialize)]
pub struct Workflow {
    /// Its Temporal type name.
    pub name: String,
    /// Comment of the contract.
    pub comment: String,
    /// Argument.
    pub input: TypeRef,
    /// Result.
    pub output: TypeRef,
    /// Limit over all runs.
    pub execution_timeout: Option<Duration>,
    /// Limit of one run.
    pub run_timeout: Option<Duration>,
}

/// An activity.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    /// Its Temporal type name.
    pub name: String,
    /// Comment of the contract.
    pub comment: String,
    /// Argument.
    pub input: TypeRef,
    /// Result.
    pub output: TypeRef,
    /// Limit of one attempt.
    pub start_to_close: Duration,
    /// Limit between heartbeats.
    pub heartbeat: Option<Duration>,
    /// Limit over all attempts.
    pub schedule_to_close: Option<Duration>,
    /// How attempts are repeated.
    pub retry: Retry,
}

/// Exponential retry, with Temporal's own defaults filled in.
#[derive(Clone, Debug, Serialize)]
pub struct Retry {
    /// Wait before the second attempt.
    pub initial_interval: Duration,
    /// Factor between waits.
    pub backoff_coefficient: f64,
    /// Longest wait.
    pub maximum_interval: Option<Duration>,
    /// Attempts in all; 0 is without limit.
    pub maximum_attempts: u32,
}

/// A JetStream stream.
#[derive(Clone, Debug, Serialize)]
pub struct Stream {
    /// For example `athlete`.
    pub name: String,
    /// Wildcards of the subjects of its events, sorted.
    pub subjects: Vec<String>,
    /// `Limits` or `Interest`.
    pub retention: String,
    /// Age limit.
    pub max_age: Option<Duration>,
    /// Size limit in bytes.
    pub max_bytes: Option<i64>,
    /// How long message ids are remembered.
    pub duplicate_window: Duration,
}

/// A message that is published.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Name of the message.
    pub name: String,
    /// Full proto name.
    pub full_name: String,
    /// Comment of the contract.
    pub comment: String,
    /// The Rust type.
    pub rust: TypeRef,
    /// Stream that keeps it, and the package that declares the stream.
    pub stream: String,
    /// Package that declares the stream.
    pub stream_package: String,
    /// Subject template.
    pub subject: Vec<Part>,
    /// Subject with `*` for each field.
    pub wildcard: String,
    /// Message id template; empty when there is none.
    pub message_id: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    /// Stands as it is.
    Literal(String),
    /// The value of a field.
    Field {
        /// Name in the contract.
        name: String,
        /// Name of the struct's field.
        rust_name: String,
        /// The enum, when the field is one: its name is used, not its number.
        enumeration: Option<TypeRef>,
    },
}

/// A deployable service with its granted traffic.
#[derive(Clone, Debug, Serialize)]
pub struct Deployable {
    /// For example `api`.
    pub name: String,
    /// For example `api-port`.
    pub crate_name: String,
    /// Comment of the declaration.
    pub comment: String,
    /// Full names of services that it answers.
    pub serves: Vec<String>,
    /// Services that it calls, with the deployable that answers them.
    pub calls: Vec<Call>,
    /// Full names of events that it publishes.
    pub publishes: Vec<String>,
    /// Events that it handles.
    pub handles: Vec<Handler>,
    /// Full names of workflow services that it runs.
    pub runs: Vec<String>,
    /// Full names of workflow services that it starts.
    pub starts: Vec<String>,
}

/// A call that is granted.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Full name of the service.
    pub service: String,
    /// The deployable that answers.
    pub server: String,
}

/// How a deployable handles an event.
#[derive(Clone, Debug, Serialize)]
pub struct Handler {
    /// Full name of the event.
    pub event: String,
    /// Durable consumer's name.
    pub durable: String,
    /// Messages in work at once in one process.
    pub concurrency: u32,
    /// Time until an unacknowledged message comes again.
    pub ack_wait: Duration,
    /// Deliveries in all.
    pub max_deliver: u32,
    /// Waits between deliveries.
    pub backoff: Vec<Duration>,
}

impl Model {
    /// The package that holds a service, workflow service or event of this full name.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// A service by its full name.
    #[must_use]
    pub fn service(&self, full_name: &str) -> Option<(&Package, &Service)> {
        self.packages.iter().find_map(|package| {
            let found = package.services.iter().find(|service| service.full_name == full_name);
            found.map(|service| (package, service))
        })
    }

    /// A workflow service by its full name.
    #[must_use]
    pub fn workflow_service(&self, full_name: &str) -> Option<(&Package, &WorkflowService)> {
        self.packages.iter().find_map(|package| {
            let found = package.workflows.iter().find(|service| service.full_name == full_name);
            found.map(|service| (package, service))
        })
    }

    /// An event by its full name.
    #[must_use]
    pub fn event(&self, full_name: &str) -> Option<(&Package, &Event)> {
        self.packages.iter().find_map(|package| {
            let found = package.events.iter().find(|event| event.full_name == full_name);
            found.map(|event| (package, event))
        })
    }
}
