//! The jobs that this service handles, one file each.

mod lease;
mod sync_athlete;
mod walk;

use std::sync::Arc;

use treaty_nats::{Connection, HandlerOptions, HandlerStats};
use treaty_service::Shutdown;

pub use sync_athlete::SyncAthletes;

/// Starts each handler. They end when `shutdown` begins, after the jobs in work.
pub(crate) fn spawn(
    connection: &Connection,
    shutdown: &Shutdown,
    sync_athletes: SyncAthletes,
    sync_stats: Arc<HandlerStats>,
    options: &HandlerOptions,
) {
    let (nats, stop, own) = (connection.clone(), shutdown.token(), options.clone());
    shutdown.spawn("handle SyncAthlete", async move {
        let handler = Arc::new(sync_athletes);
        consumer_port::handle_sync_athlete(&nats, handler, stop, sync_stats, own).await
    });
}
