//! The streams and durable consumers of a NATS server, held against what the
//! contracts say.
//!
//! Definitions are files of JetStream's own JSON, as the generator writes them under
//! `gen/ops/nats`. Only what they speak of is compared and changed: whatever else an
//! operator has set, such as the number of replicas, stays.
//!
//! - [`Definitions`] reads what is wanted, [`Server`] what is there.
//! - [`Plan`] is the difference: pure, and honest about what would be lost.
//! - [`apply`] carries a plan out.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod apply;
mod definitions;
mod plan;
mod report;
mod server;

pub use apply::apply;
pub use definitions::{Definition, Definitions, DefinitionsError};
pub use plan::{Action, Change, Found, Plan, Step, Subject};
pub use report::json as report_json;
pub use server::{Server, ServerError};
