//! What the contracts say, as plain data: the only thing that emitters see.
//!
//! Everything here has been checked by [`crate::lower`]; an emitter never fails.

mod cel;
mod message;
mod service;
mod traffic;
mod validation;
mod workflow;

use heck::ToSnakeCase;
use serde::Serialize;

pub use cel::{
    CelExpr, CelField, CelFieldKind, CelFunction, CelNode, CelPiece, CelPlace, CelRule, CelShape,
    CelStored, CelType,
};
pub use message::{
    Derives, Enum, EnumValue, Field, FieldCardinality, FieldType, Member, Message, Oneof, Scalar,
    wrapped,
};
pub use service::{
    Access, Body, CallRetry, IDEMPOTENCY_METADATA, Idempotency, Method, Page, Route, Segment,
    Service, Template, Variable,
};
pub use traffic::{Acknowledgement, Call, Deployable, Event, Handler, KeyToken, Part, Stream};
pub use validation::{
    AnyRules, BoolRules, Bound, BytesRules, EnumRules, FieldGroup, FieldMaskRules, FieldRules,
    Ignore, MapRules, MessageRules, Moment, Number, NumberRules, RepeatedRules, StandardRules,
    StringRules, TimeRules,
};
pub use workflow::{Activity, Retry, SearchAttribute, SearchSource, Workflow, WorkflowService};

/// How packages are divided among crates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Layout {
    /// A crate for each package, `acme.orders.v1` in `acme-orders-v1`.
    #[default]
    Crates,
    /// One crate with a module for each package, `acme.orders.v1` in `acme_orders_v1`.
    Modules,
}

impl Layout {
    /// Name of a package's module: in ports all but the organisation, `athletes_v1` for
    /// `stravasync.athletes.v1`; in a crate of several packages the whole name.
    #[must_use]
    pub fn module(self, package: &str) -> String {
        let segments: Vec<_> = package.split('.').collect();
        let skipped = usize::from(self == Self::Crates && segments.len() > 2);
        let name = segments[skipped..].join("_");
        match self {
            Self::Crates => name,
            Self::Modules if name.is_empty() => "unpackaged".to_owned(),
            Self::Modules => name.to_snake_case(),
        }
    }
}

/// All contracts together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Model {
    /// Proto packages that hold definitions, by name.
    pub packages: Vec<Package>,
    /// Deployable services, by name.
    pub deployables: Vec<Deployable>,
    /// How packages are divided among crates.
    pub layout: Layout,
}

/// One proto package, which becomes one crate.
#[derive(Clone, Debug, Serialize)]
pub struct Package {
    /// For example `stravasync.athletes.v1`.
    pub name: String,
    /// For example `stravasync-athletes-v1`.
    pub crate_name: String,
    /// Name of its module in a port, for example `athletes_v1`; in a crate of several
    /// packages the name of its module there, for example `google_api`.
    pub module: String,
    /// How packages are divided among crates.
    pub layout: Layout,
    /// Comment of the `package` statement.
    pub comment: String,
    /// Other generated packages that its types refer to.
    pub dependencies: Vec<String>,
    /// Messages, nested ones included.
    pub messages: Vec<Message>,
    /// Enums, nested ones included.
    pub enums: Vec<Enum>,
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

impl Package {
    /// Directory of its modules, below the output directory.
    #[must_use]
    pub fn directory(&self) -> String {
        match self.layout {
            Layout::Crates => format!("packages/{}/src", self.crate_name),
            Layout::Modules => format!("src/{}", self.module),
        }
    }
}

/// A type by the package that holds it.
#[derive(Clone, Debug, Hash, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TypeRef {
    /// Proto package; `google.protobuf` for the well-known types.
    pub package: String,
    /// Rust path below the package's crate, for example `athlete::Kind`.
    pub path: String,
}

/// Messages and enums of `google.protobuf` that are a library's in Rust.
pub const WELL_KNOWN: [&str; 18] = [
    "Any",
    "BoolValue",
    "BytesValue",
    "DoubleValue",
    "Duration",
    "Empty",
    "FieldMask",
    "FloatValue",
    "Int32Value",
    "Int64Value",
    "ListValue",
    "NullValue",
    "StringValue",
    "Struct",
    "Timestamp",
    "UInt32Value",
    "UInt64Value",
    "Value",
];

impl TypeRef {
    /// Whether a library has this type, so that it is not generated.
    #[must_use]
    pub fn is_well_known(&self) -> bool {
        match self.package.as_str() {
            "google.protobuf" => WELL_KNOWN.contains(&self.path.as_str()),
            // Bodies that are not JSON, which the gateway must know.
            "google.api" => self.path == "HttpBody",
            _ => false,
        }
    }
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

    /// A message by its Rust type; none for well-known types.
    #[must_use]
    pub fn message(&self, rust: &TypeRef) -> Option<&Message> {
        self.package(&rust.package)?.messages.iter().find(|message| message.rust == *rust)
    }

    /// An enum by its Rust type; none for well-known types.
    #[must_use]
    pub fn enumeration(&self, rust: &TypeRef) -> Option<&Enum> {
        self.package(&rust.package)?.enums.iter().find(|enumeration| enumeration.rust == *rust)
    }
}
