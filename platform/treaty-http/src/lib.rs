//! The runtime under generated JSON gateway routes.
//!
//! Generated code declares one constant [`Route`] and one `bind` function for each
//! route and mounts them with [`Gateway::unary`]; everything else happens here:
//! the caller is proved and admitted, the body decoded, query and path bound, the
//! in-process client called, and the outcome written as JSON or as a
//! `google.rpc.Status`.
//!
//! Bodies go straight between bytes and messages; no intermediate tree of values
//! is built.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod bind;
mod body;
mod documents;
mod gateway;
mod query;
mod respond;
mod route;
mod server;
mod status;

pub use bind::{Bind, Bound};
pub use documents::documents;
pub use gateway::{Gateway, GatewayConfig};
pub use respond::{failure, success};
pub use route::{BodyMode, Route, Verb};
pub use server::{HttpServerConfig, ServeError, serve, with_fallbacks};
pub use status::status_json;
