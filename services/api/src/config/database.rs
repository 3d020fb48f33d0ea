//! Postgres.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Problem, unmet};

/// Postgres.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host:port/database`.
    pub url: SecretString,
    /// Most connections of this process; at least 4.
    #[serde(default = "DatabaseConfig::default_max_connections")]
    pub max_connections: u32,
    /// Seconds that a request waits for one of them.
    #[serde(default = "DatabaseConfig::default_acquire_timeout_seconds")]
    pub acquire_timeout_seconds: u64,
    /// Seconds that a start waits for Postgres.
    #[serde(default = "DatabaseConfig::default_timeout_seconds")]
    pub connect_timeout_seconds: u64,
    /// Seconds after which Postgres gives up a statement; 0 for never.
    #[serde(default = "DatabaseConfig::default_timeout_seconds")]
    pub statement_timeout_seconds: u64,
}

impl DatabaseConfig {
    /// Fewest connections that let everything go on: one listens for the outbox, one relays it,
    /// one may wait for Strava, one serves.
    pub const LEAST_CONNECTIONS: u32 = 4;

    pub(super) fn problems(&self) -> Vec<Problem> {
        unmet([
            (
                self.max_connections >= Self::LEAST_CONNECTIONS,
                "database.max_connections",
                "at least 4",
            ),
            (self.acquire_timeout_seconds > 0, "database.acquire_timeout_seconds", "at least 1"),
        ])
    }

    fn default_max_connections() -> u32 {
        16
    }

    fn default_acquire_timeout_seconds() -> u64 {
        5
    }

    fn default_timeout_seconds() -> u64 {
        30
    }
}
