//! Workflows and activities without a server, for unit tests of services.

mod activity;
mod history;
mod replay;
mod workflows;

pub use activity::{ActivityEnvironment, AttemptOutcome};
pub use replay::Replayer;
pub use workflows::InMemoryWorkflows;
