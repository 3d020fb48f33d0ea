//! The runtime under generated gRPC adapters: context, access, deadlines, transport.
//!
//! Generated code is thin; what it calls stands here.
//!
//! - A call arrives: [`unary`] turns the transport's request into a [`Context`],
//!   and the in-process client's [`admit_and_run`] checks who may call, bounds
//!   the time, contains panics and logs what is our fault. The HTTP gateway
//!   calls the same in-process client, so that both doors obey one rule.
//! - A call leaves: [`call`] adds our token, the deadline and the request id,
//!   and turns whatever comes back into a [`treaty_error::Error`].
//!
//! Only this crate and generated adapters name tonic.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod auth;
mod client;
mod context;
mod headers;
mod health;
mod limit;
mod method;
mod run;
mod server;
mod status;
mod unary;

pub use auth::{AuthConfig, AuthConfigError, Authenticator, MIN_TOKEN_BYTES};
pub use client::{Channel, ClientConfig, call, connect_lazy};
pub use context::{Caller, Context};
pub use headers::{REQUEST_ID, TRACEPARENT, request_id_or_new, traceparent};
pub use health::Health;
pub use method::{Access, MethodSpec, admit};
pub use run::admit_and_run;
pub use server::{GrpcServer, GrpcServerConfig, MessageLimits, ServeError};
pub use status::{from_status, to_status};
pub use unary::unary;
