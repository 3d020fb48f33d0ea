//! The workflows that this service runs, one file each.

mod backfill_athlete;
mod dispatch_syncs;
mod pages;
mod reconcile_syncs;

pub use backfill_athlete::BackfillAthleteWorkflow;
pub use dispatch_syncs::DispatchSyncsWorkflow;
pub use pages::{DEFAULT_ACTIVITIES_PER_RUN, DEFAULT_PAGE_SIZE, DEFAULT_PAGES_PER_ACTIVITY};
pub use reconcile_syncs::{DEFAULT_NOT_SYNCED_FOR, ReconcileSyncsWorkflow};
