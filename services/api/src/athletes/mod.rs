//! The people whose activities are kept.

mod error;
mod model;
mod repository;
mod rpc;
mod service;

pub use error::AthletesError;
pub use model::{Athlete, AthleteFilter, AthleteKey, AthletePage, NewAthlete, StateFilter};
pub(crate) use repository::is_registered;
pub use repository::{AthletesRepository, PgAthletes};
pub use rpc::AthletesRpc;
pub use service::Athletes;
