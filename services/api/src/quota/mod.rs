//! Strava's quota: one count for all processes that call Strava.

mod error;
mod model;
mod repository;
mod rpc;
mod rules;
mod service;

pub use error::QuotaError;
pub use model::{
    Asked, Count, Counts, Priority, QuotaSettings, QuotaState, Reservation, Usage, WaitReason,
};
pub use repository::{PgQuota, QuotaRepository, VersionedState};
pub use rpc::QuotaRpc;
pub use service::Quota;
