//! The consent by which an athlete lets us read from Strava.

mod application;
mod error;
mod model;
mod repository;
mod rpc;
mod secret;
mod service;
mod strava;
mod tokens;

pub use application::{Application, Credentials};
pub use error::ConnectionsError;
pub use model::{ConsentAnswer, FirstSync, Grant, NewConnection, TokenPair};
pub use repository::{ConnectionsRepository, PgConnections};
pub use rpc::ConnectionsRpc;
pub use service::{AccessToken, Connections, ConnectionsSettings, RejectedToken};
pub use strava::{StravaError, StravaOAuth, StravaOAuthClient};
pub use tokens::{LockedTokens, StoredTokens, TokenKeeper, TokenMove, TokenStore};
