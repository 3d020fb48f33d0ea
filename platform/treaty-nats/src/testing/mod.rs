//! Publishing and handling without a server, for unit tests of services.

mod harness;
mod recording;

pub use harness::{HandlerHarness, Outcome, delivery, delivery_attempt};
pub use recording::RecordingPublisher;
