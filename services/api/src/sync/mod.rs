//! Syncs: one of an athlete at a time, which goes on where it was interrupted.
//!
//! [`rules`] decides what becomes of a job and of what was asked for meanwhile; [`repository`]
//! keeps the state, one row for each athlete, which whoever writes activities locks first
//! ([`page`]); [`orphans`] sees to what was folded into a sync that never ended.

mod error;
mod locked;
mod model;
mod orphans;
pub(crate) mod page;
mod repository;
mod rpc;
mod rules;
mod service;

pub use error::SyncError;
pub use model::{
    Admission, Ended, Job, ListPosition, Outcome, Session, SyncPage, SyncSettings, SyncState,
};
pub use orphans::Orphans;
pub use repository::PgSyncs;
pub use rpc::SyncRpc;
pub use service::Syncs;
