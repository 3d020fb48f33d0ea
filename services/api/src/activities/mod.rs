//! What the athletes did.

mod error;
mod model;
mod repository;
mod rpc;
mod service;
mod write;

pub use error::ActivitiesError;
pub use model::{Activity, ActivityKey, ActivityPage, Totals, Upserted};
pub use repository::{ActivitiesRepository, PgActivities};
pub use rpc::ActivitiesRpc;
pub use service::Activities;
