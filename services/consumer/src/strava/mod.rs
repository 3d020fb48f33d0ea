//! Strava's API, as far as this service reads it.

mod activity;
mod client;
mod error;
mod headers;
mod pause;
mod quota;

pub use activity::Page;
pub use client::{ActivityPages, PageQuery, StravaClient, token_digest};
pub use error::StravaError;
pub use quota::Quota;
