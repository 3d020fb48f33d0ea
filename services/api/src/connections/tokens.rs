//! The keeper of tokens. Behind a trait of its own, so that it can be another than Postgres.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use stravasync_schema::ConnectionState;
use uuid::Uuid;

use super::{ConnectionsError, TokenPair};

/// The tokens of a connection, as they are kept.
#[derive(Clone, Debug)]
pub struct StoredTokens {
    /// The tokens.
    pub tokens: TokenPair,
    /// Whose they are at Strava.
    pub strava_athlete_id: i64,
    /// Whether they still work.
    pub state: ConnectionState,
    /// When Strava gave them.
    pub received_at: DateTime<Utc>,
}

/// Keeps tokens.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The tokens of an athlete; `None` without a connection.
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
    /// Marks the connection as ended and releases.
    async fn revoke(self: Box<Self>) -> Result<(), ConnectionsError>;
}

/// [`TokenStore`] in Postgres.
#[derive(Clone)]
pub struct PgTokenStore {
    pool: PgPool,
}

impl PgTokenStore {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// Keeps the first tokens of a connection, or those of a renewed consent.
pub(super) async fn write(
    connection: &mut PgConnection,
    athlete_id: Uuid,
    tokens: &TokenPair,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO strava_tokens (athlete_id, access_token, refresh_token, expires_at) \
         VALUES ($1, $2, $3, $4) \
         ON CONFLICT (athlete_id) DO UPDATE SET access_token = excluded.access_token, \
             refresh_token = excluded.refresh_token, expires_at = excluded.expires_at, \
             version = strava_tokens.version + 1, updated_at = now()",
        athlete_id,
        tokens.access_token.expose_secret(),
        tokens.refresh_token.expose_secret(),
        tokens.expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Row {
    strava_athlete_id: i64,
    state: ConnectionState,
    access_token: String,
    refresh_token: String,
    expires_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for StoredTokens {
    fn from(row: Row) -> Self {
        Self {
            tokens: TokenPair {
                access_token: SecretString::from(row.access_token),
                refresh_token: SecretString::from(row.refresh_token),
                expires_at: row.expires_at,
            },
            strava_athlete_id: row.strava_athlete_id,
            state: row.state,
            received_at: row.updated_at,
        }
    }
}

#[async_trait]
impl TokenStore for PgTokenStore {
    async fn read(&self, athlete_id: Uuid) -> Result<Option<StoredTokens>, ConnectionsError> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT c.strava_athlete_id, c.state AS "state: ConnectionState", t.access_token,
                      t.refresh_token, t.expires_at, t.updated_at
               FROM strava_connections c JOIN strava_tokens t USING (athlete_id)
               WHERE c.athlete_id = $1"#,
            athlete_id,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(StoredTokens::from))
    }

    async fn lock(
        &self,
        athlete_id: Uuid,
    ) -> Result<Option<Box<dyn LockedTokens>>, ConnectionsError> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query_as!(
            Row,
            r#"SELECT c.strava_athlete_id, c.state AS "state: ConnectionState", t.access_token,
                      t.refresh_token, t.expires_at, t.updated_at
               FROM strava_connections c JOIN strava_tokens t USING (athlete_id)
               WHERE c.athlete_id = $1
               FOR UPDATE"#,
            athlete_id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        Ok(row.map(|row| {
            let stored = row.into();
            Box::new(PgLockedTokens { transaction, athlete_id, stored }) as Box<dyn LockedTokens>
        }))
    }

    async fn athlete_exists(&self, athlete_id: Uuid) -> Result<bool, ConnectionsError> {
        let exists = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM athletes WHERE athlete_id = $1) AS "exists!""#,
            athlete_id,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(exists)
    }
}

struct PgLockedTokens {
    transaction: Transaction<'static, Postgres>,
    athlete_id: Uuid,
    stored: StoredTokens,
}

#[async_trait]
impl LockedTokens for PgLockedTokens {
    fn stored(&self) -> &StoredTokens {
        &self.stored
    }

    async fn replace(mut self: Box<Self>, tokens: &TokenPair) -> Result<(), ConnectionsError> {
        write(&mut self.transaction, self.athlete_id, tokens).await?;
        self.transaction.commit().await?;
        Ok(())
    }

    async fn revoke(mut self: Box<Self>) -> Result<(), ConnectionsError> {
        sqlx::query!(
            "UPDATE strava_connections SET state = 'revoked', updated_at = now() \
             WHERE athlete_id = $1",
            self.athlete_id,
        )
        .execute(&mut *self.transaction)
        .await?;
        self.transaction.commit().await?;
        Ok(())
    }
}
