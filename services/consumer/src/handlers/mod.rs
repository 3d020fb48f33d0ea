//! The jobs that this service handles, one file each.

mod sync_athlete;

pub use sync_athlete::SyncAthletes;
