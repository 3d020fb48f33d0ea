//! One file for each workflow.

mod dispatch_syncs;

pub use dispatch_syncs::DispatchSyncsWorkflow;
