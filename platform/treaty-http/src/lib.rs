//! The runtime under generated HTTP/JSON routes.
//!
//! Generated code declares one constant [`Route`] for each binding of `google.api.http`
//! and mounts them with [`Mount`]; everything else happens here: a [`Site`] finds the
//! route of a request, its caller is proved and admitted, body, query and path become
//! the message, the service is called, and the outcome is written as JSON, as the bytes
//! of a `google.api.HttpBody`, as a stream, or as a `google.rpc.Status`.
//!
//! The service may be a handler in this process or a client of another: both are the
//! same trait, and [`Gateway::forwarding`] makes a proxy of it.
//!
//! Bodies go straight between bytes and messages; no intermediate tree of values is
//! built.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod body;
mod details;
mod documents;
mod gateway;
mod headers;
mod matcher;
mod mount;
mod observe;
mod payload;
mod percent;
mod query;
mod read;
mod respond;
mod route;
mod server;
mod site;
mod status;
mod stream;
mod template;
mod upload;

pub use body::Body;
pub use documents::documents;
pub use gateway::{Gateway, GatewayConfig};
pub use headers::REQUEST_TIMEOUT;
pub use matcher::{Found, Matcher};
pub use mount::Mount;
pub use payload::{Input, Output};
pub use percent::Malformed;
pub use respond::failure;
pub use route::{BodyMode, Route, Verb};
pub use server::{HttpServerConfig, ServeError, serve};
pub use site::{Answer, Routes, Site};
pub use status::status_json;
pub use template::{Segment, Template, Variable};
pub use treaty_json::HttpBody;
