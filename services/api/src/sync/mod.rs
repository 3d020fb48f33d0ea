//! What becomes of syncs.

mod handler;
mod model;
mod repository;

pub use handler::SyncEnded;
pub use model::SyncRun;
pub use repository::{PgSyncRuns, SyncError, SyncRunsRepository};
