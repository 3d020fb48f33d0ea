//! Workflows and activities without a server, for unit tests of services.

mod activity;
mod workflows;

pub use activity::{ActivityEnvironment, AttemptOutcome};
pub use workflows::InMemoryWorkflows;
