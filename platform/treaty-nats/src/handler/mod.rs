//! Driving one durable consumer.

mod answer;
mod attempt;
mod consumer;
mod dead_letter;
mod decide;
mod delivery;
mod durations;
mod give_back;
mod load;
mod metrics;
mod options;
mod order;
mod progress;
mod pull;
mod run;
mod stats;
mod stops;
mod trace;
pub(crate) mod verdict;
mod watch;
mod work;

use async_trait::async_trait;
use treaty_error::Error;

pub use delivery::Delivery;
pub use metrics::HandlerMetrics;
pub use options::{HandlerLimit, HandlerOptions, HandlersConfig};
pub use run::{run_handler, run_handler_with};
pub use stats::{Backlog, HandlerStats, HandlingTimes, RebuildReason, Rebuilds, StatsSnapshot};

/// Handles one kind of event. Implemented by services.
///
/// What becomes of the message follows from the result: `Ok` acknowledges it; an
/// error is retried or becomes a dead letter by its code's
/// [`Disposition`](treaty_error::Disposition), and a retry waits for
/// [`Error::retry_after`] if there is one. The same message may be handled more
/// than once, so handling must be idempotent.
///
/// [`Code::Cancelled`](treaty_error::Code::Cancelled) from a handler while its process shuts down
/// is no failure: the message is given back for another process, and no delivery is spent, unless
/// the handler is ordered.
#[async_trait]
pub trait Handle<E>: Send + Sync + 'static {
    /// Handles one delivery.
    async fn handle(&self, delivery: &Delivery, event: E) -> Result<(), Error>;
}
