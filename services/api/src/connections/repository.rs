//! Consents and connections in Postgres.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::{ConnectionsError, FirstSync, NewConnection, TokenKeeper};
use crate::database::violated;
use crate::outbox;

/// Keeps consents and connections.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ConnectionsRepository: Send + Sync {
    /// Remembers that an athlete began a consent, and forgets those that have ended by `now`.
    async fn begin_consent(
        &self,
        athlete_id: Uuid,
        state_digest: &[u8; 32],
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), ConnectionsError>;
    /// Uses a state up: who began the consent, unless it is unknown, used or too old.
    async fn take_consent(
        &self,
        state_digest: &[u8; 32],
        now: DateTime<Utc>,
    ) -> Result<Option<Uuid>, ConnectionsError>;
    /// Connects an athlete, keeps the tokens and promises the first sync, all or nothing.
    async fn connect(
        &self,
        connection: &NewConnection,
        first_sync: &FirstSync,
    ) -> Result<(), ConnectionsError>;
}

/// [`ConnectionsRepository`] over Postgres, with the tokens in the secret store.
#[derive(Clone)]
pub struct PgConnections {
    pool: PgPool,
    tokens: TokenKeeper,
}

impl PgConnections {
    /// Over a pool and the keeper of tokens.
    #[must_use]
    pub fn new(pool: PgPool, tokens: TokenKeeper) -> Self {
        Self { pool, tokens }
    }
}

#[async_trait]
impl ConnectionsRepository for PgConnections {
    async fn begin_consent(
        &self,
        athlete_id: Uuid,
        state_digest: &[u8; 32],
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), ConnectionsError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO consent_states (state_digest, athlete_id, expires_at) VALUES ($1, $2, $3)",
            state_digest.as_slice(),
            athlete_id,
            expires_at,
        )
        .execute(&mut *transaction)
        .await
        .map_err(|error| match violated(&error) {
            Some("consent_states_athlete_id_fkey") => ConnectionsError::AthleteNotFound,
            _ => error.into(),
        })?;
        // Rows that somebody else is just deleting are left to them.
        sqlx::query!(
            "DELETE FROM consent_states WHERE state_digest IN (SELECT state_digest \
             FROM consent_states WHERE expires_at <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
            now,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn take_consent(
        &self,
        state_digest: &[u8; 32],
        now: DateTime<Utc>,
    ) -> Result<Option<Uuid>, ConnectionsError> {
        let taken = sqlx::query!(
            "DELETE FROM consent_states WHERE state_digest = $1 RETURNING athlete_id, expires_at",
            state_digest.as_slice(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(taken.filter(|row| row.expires_at > now).map(|row| row.athlete_id))
    }

    async fn connect(
        &self,
        connection: &NewConnection,
        first_sync: &FirstSync,
    ) -> Result<(), ConnectionsError> {
        let mut transaction = self.pool.begin().await?;
        let changed = sqlx::query!(
            "INSERT INTO strava_connections AS known (athlete_id, strava_athlete_id, state, scopes) \
             VALUES ($1, $2, 'connected', $3) \
             ON CONFLICT (athlete_id) DO UPDATE \
                 SET state = 'connected', scopes = excluded.scopes, updated_at = now() \
                 WHERE known.strava_athlete_id = excluded.strava_athlete_id",
            connection.athlete_id,
            connection.grant.strava_athlete_id,
            &connection.scopes,
        )
        .execute(&mut *transaction)
        .await
        .map_err(|error| match violated(&error) {
            Some("strava_connections_strava_athlete_id_key") => {
                ConnectionsError::StravaAthleteTaken
            }
            Some("strava_connections_athlete_id_fkey") => ConnectionsError::AthleteNotFound,
            _ => error.into(),
        })?;
        if changed.rows_affected() == 0 {
            return Err(ConnectionsError::OtherStravaAthlete);
        }
        let NewConnection { athlete_id, grant, .. } = connection;
        self.tokens.keep_first(&mut transaction, *athlete_id, &grant.tokens).await?;
        outbox::append(&mut transaction, &first_sync.0).await?;
        transaction.commit().await?;
        Ok(())
    }
}
