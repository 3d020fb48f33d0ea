//! Strava's API, as far as this service reads it.

mod activity;
mod client;
mod error;
mod quota;

pub use activity::Page;
pub use client::{ActivityPages, PageQuery, StravaClient};
pub use error::StravaError;
