//! The keeper of tokens.
//!
//! The tokens are in the secret store, and the lock on them is the row of their connection in Postgres:
//! who holds it reads them from the store, and writes new ones to the store before it commits. The row
//! names the newest tokens, so that processes may remember what they have read.

mod cache;
mod keep;
mod keeper;
mod moving;
mod record;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ConnectionsError, TokenPair};

pub use keeper::TokenKeeper;
pub use moving::TokenMove;

/// The tokens of a connection, as they are kept.
#[derive(Clone, Debug)]
pub struct StoredTokens {
    /// The tokens.
    pub tokens: TokenPair,
    /// Whose they are at Strava.
    pub strava_athlete_id: i64,
    /// When Strava gave them.
    pub received_at: DateTime<Utc>,
}

/// Keeps tokens.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The tokens of an athlete; `None` without a connection that works.
    async fn read(&self, athlete_id: Uuid) -> Result<Option<StoredTokens>, ConnectionsError>;
    /// The tokens of an athlete, which nobody else can lock until they are released.
    async fn lock(
        &self,
        athlete_id: Uuid,
    ) -> Result<Option<Box<dyn LockedTokens>>, ConnectionsError>;
    /// Whether the athlete is known.
    async fn athlete_exists(&self, athlete_id: Uuid) -> Result<bool, ConnectionsError>;
}

/// Tokens that are ours alone until this is dropped.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait LockedTokens: Send {
    /// What is kept.
    fn stored(&self) -> &StoredTokens;
    /// Keeps new tokens and releases. They are durable when this returns.
    async fn replace(self: Box<Self>, tokens: &TokenPair) -> Result<(), ConnectionsError>;
    /// Marks the connection as ended, deletes its tokens and releases.
    async fn revoke(self: Box<Self>) -> Result<(), ConnectionsError>;
}
