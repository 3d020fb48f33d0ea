//! The workflows that this service runs, one file each.

mod dispatch_syncs;

pub use dispatch_syncs::{DEFAULT_PAGE_SIZE, DispatchSyncsWorkflow};
