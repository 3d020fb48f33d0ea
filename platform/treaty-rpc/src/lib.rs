//! The runtime under generated gRPC adapters: context, access, deadlines, transport.
//!
//! Generated code is thin; what it calls stands here.
//!
//! - A call arrives: [`unary`] and its three streaming siblings turn the transport's
//!   request into a [`Context`], and the in-process client's [`admit_and_run`] or
//!   [`admit_and_stream`] checks who may call, bounds the time, contains panics and
//!   logs what is our fault. The HTTP gateway calls the same in-process client, so
//!   that both doors obey one rule.
//! - A call leaves: [`call`] and its siblings add our token, the deadline and the
//!   request id, repeat it where the contract allows ([`RetrySpec`]) and the server's
//!   budget does ([`RetryBudgetConfig`]), and turn whatever comes back into a
//!   [`treaty_error::Error`].
//! - A list is walked: [`Pages`].
//!
//! Only this crate and generated adapters name tonic.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod accept;
mod answer;
mod auth;
mod body;
mod client;
mod context;
mod guard;
mod headers;
mod health;
mod limit;
mod method;
mod pages;
mod run;
mod server;
mod status;
mod stream;

pub use answer::{bidi_streaming, client_streaming, server_streaming, unary};
pub use auth::{AuthConfig, AuthConfigError, Authenticator, MIN_TOKEN_BYTES};
pub use client::{
    Channel, ClientConfig, Requests, Resolve, RetryBudget, RetryBudgetConfig, Transport, call,
    call_bidi_streaming, call_client_streaming, call_server_streaming, connect_lazy,
    connect_lazy_with,
};
pub use context::{Caller, CallsAs, Context};
pub use futures::future::BoxFuture;
pub use headers::{
    GRPC_TIMEOUT, IDEMPOTENCY_KEY, REQUEST_ID, TRACEPARENT, fill_idempotency_key, grpc_timeout,
    idempotency_key, request_id_or_new, traceparent,
};
pub use health::Health;
pub use method::{Access, MethodSpec, RetrySpec, admit};
pub use pages::{Items, PageSpec, Pages};
pub use run::{admit_and_run, admit_and_stream};
pub use server::{GrpcServer, GrpcServerConfig, MessageLimits, ServeError};
pub use status::{from_status, to_status};
pub use stream::{MessageStream, StatusStream, stream_of, validated};
