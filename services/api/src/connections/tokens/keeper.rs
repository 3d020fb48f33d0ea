//! [`TokenStore`] over Postgres's rows and the secret store.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use treaty_secrets::{Expected, SecretStore};
use uuid::Uuid;

use super::cache::Cache;
use super::record::{self, Record};
use super::{LockedTokens, StoredTokens, TokenStore, keep};
use crate::athletes;
use crate::connections::{ConnectionsError, TokenPair};

/// Keeps tokens in the secret store. Clones share what they remember.
#[derive(Clone)]
pub struct TokenKeeper {
    pub(super) pool: PgPool,
    pub(super) secrets: Arc<dyn SecretStore>,
    cache: Arc<Cache>,
}

/// The row of a connection that works.
struct Row {
    strava_athlete_id: i64,
    tokens_id: Option<Uuid>,
}

impl TokenKeeper {
    /// Over a pool and a secret store.
    #[must_use]
    pub fn new(pool: PgPool, secrets: Arc<dyn SecretStore>) -> Self {
        Self { pool, secrets, cache: Arc::default() }
    }

    /// Keeps the tokens of a new consent, within the transaction that has the connection's row.
    ///
    /// # Errors
    /// When the store or Postgres fails. The store may have the tokens all the same; then the next
    /// consent finds and replaces them.
    pub async fn keep_first(
        &self,
        connection: &mut PgConnection,
        athlete_id: Uuid,
        tokens: &TokenPair,
    ) -> Result<(), ConnectionsError> {
        let known = self.secrets.read(&record::path(athlete_id)?).await?;
        let expected = Expected::after(known.as_ref());
        let record = Record::new(tokens.clone());
        self.keep(connection, athlete_id, record, expected).await?;
        // Those that were never moved are older.
        sqlx::query!("DELETE FROM strava_tokens WHERE athlete_id = $1", athlete_id)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Deletes the tokens of an athlete, within a transaction that has locked the connection's row (or
    /// knows that there is none) and deletes or ends it. Whoever repeats it after a failure does no harm.
    ///
    /// # Errors
    /// When the store or Postgres fails; then the transaction must not be committed.
    pub async fn delete(
        &self,
        connection: &mut PgConnection,
        athlete_id: Uuid,
    ) -> Result<(), ConnectionsError> {
        self.secrets.delete(&record::path(athlete_id)?).await?;
        self.cache.remove(athlete_id);
        sqlx::query!("DELETE FROM strava_tokens WHERE athlete_id = $1", athlete_id)
            .execute(&mut *connection)
            .await?;
        sqlx::query!(
            "UPDATE strava_connections SET tokens_id = NULL WHERE athlete_id = $1",
            athlete_id,
        )
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Writes tokens to the store, then their id into the row.
    pub(super) async fn keep(
        &self,
        connection: &mut PgConnection,
        athlete_id: Uuid,
        record: Record,
        expected: Expected,
    ) -> Result<(), ConnectionsError> {
        let path = record::path(athlete_id)?;
        keep::write(self.secrets.as_ref(), &path, &record, expected).await?;
        self.name(connection, athlete_id, record.id).await?;
        // Nobody finds it before the row names it, which is when the transaction commits.
        self.cache.put(athlete_id, record, Utc::now());
        Ok(())
    }

    pub(super) async fn name(
        &self,
        connection: &mut PgConnection,
        athlete_id: Uuid,
        id: Uuid,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "UPDATE strava_connections SET tokens_id = $2, updated_at = now() \
             WHERE athlete_id = $1",
            athlete_id,
            id,
        )
        .execute(connection)
        .await?;
        Ok(())
    }

    /// What the store has, and what the next write has to expect.
    pub(super) async fn stored(
        &self,
        athlete_id: Uuid,
    ) -> Result<(Option<Record>, Expected), ConnectionsError> {
        let path = record::path(athlete_id)?;
        let stored = self.secrets.read(&path).await?;
        let expected = Expected::after(stored.as_ref());
        let record = stored.map(|stored| Record::from_secret(&path, &stored.secret)).transpose()?;
        Ok((record, expected))
    }

    async fn row(&self, athlete_id: Uuid) -> Result<Option<Row>, sqlx::Error> {
        sqlx::query_as!(
            Row,
            "SELECT strava_athlete_id, tokens_id FROM strava_connections \
             WHERE athlete_id = $1 AND state = 'connected'",
            athlete_id,
        )
        .fetch_optional(&self.pool)
        .await
    }

    async fn locked_row(
        &self,
        athlete_id: Uuid,
    ) -> Result<Option<(Transaction<'static, Postgres>, Row)>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query_as!(
            Row,
            "SELECT strava_athlete_id, tokens_id FROM strava_connections \
             WHERE athlete_id = $1 AND state = 'connected' FOR UPDATE",
            athlete_id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        Ok(row.map(|row| (transaction, row)))
    }

    /// Deletes the tokens of a connection that has ended, unless there was a new consent meanwhile.
    async fn forget(&self, athlete_id: Uuid) -> Result<(), ConnectionsError> {
        let mut transaction = self.pool.begin().await?;
        let connected = sqlx::query_scalar!(
            r#"SELECT state = 'connected' AS "connected!" FROM strava_connections
               WHERE athlete_id = $1 FOR UPDATE"#,
            athlete_id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if connected == Some(false) {
            self.delete(&mut transaction, athlete_id).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}

impl Record {
    fn of(self, strava_athlete_id: i64) -> StoredTokens {
        let Self { tokens, received_at, .. } = self;
        StoredTokens { tokens, strava_athlete_id, received_at }
    }
}

/// The store has no tokens of a connection that should have some: somebody has deleted them. Nothing
/// is changed, because it may be another store than before.
fn lost(athlete_id: Uuid) -> ConnectionsError {
    tracing::warn!(%athlete_id, "the secret store has no tokens of a connected athlete");
    ConnectionsError::TokensLost
}

#[async_trait]
impl TokenStore for TokenKeeper {
    async fn read(&self, athlete_id: Uuid) -> Result<Option<StoredTokens>, ConnectionsError> {
        let Some(row) = self.row(athlete_id).await? else { return Ok(None) };
        let Some(newest) = row.tokens_id else {
            self.move_one(athlete_id).await?;
            let record = self.stored(athlete_id).await?.0.ok_or_else(|| lost(athlete_id))?;
            return Ok(Some(record.of(row.strava_athlete_id)));
        };
        if let Some(record) = self.cache.get(athlete_id, newest) {
            return Ok(Some(record.of(row.strava_athlete_id)));
        }
        let record = self.stored(athlete_id).await?.0.ok_or_else(|| lost(athlete_id))?;
        self.cache.put(athlete_id, record.clone(), Utc::now());
        Ok(Some(record.of(row.strava_athlete_id)))
    }

    async fn lock(
        &self,
        athlete_id: Uuid,
    ) -> Result<Option<Box<dyn LockedTokens>>, ConnectionsError> {
        let (transaction, row) = match self.locked_row(athlete_id).await? {
            // Those who were not moved yet are moved under a lock of their own.
            Some((transaction, Row { tokens_id: None, .. })) => {
                transaction.rollback().await?;
                self.move_one(athlete_id).await?;
                match self.locked_row(athlete_id).await? {
                    Some(locked) => locked,
                    None => return Ok(None),
                }
            }
            Some(locked) => locked,
            None => return Ok(None),
        };
        // What is remembered may be older than what somebody kept and could not commit.
        let (record, expected) = self.stored(athlete_id).await?;
        let record = record.ok_or_else(|| lost(athlete_id))?;
        let stored = record.of(row.strava_athlete_id);
        let keeper = self.clone();
        Ok(Some(Box::new(Locked { keeper, transaction, athlete_id, expected, stored })))
    }

    async fn athlete_exists(&self, athlete_id: Uuid) -> Result<bool, ConnectionsError> {
        Ok(athletes::is_registered(&self.pool, athlete_id).await?)
    }
}

struct Locked {
    keeper: TokenKeeper,
    transaction: Transaction<'static, Postgres>,
    athlete_id: Uuid,
    expected: Expected,
    stored: StoredTokens,
}

#[async_trait]
impl LockedTokens for Locked {
    fn stored(&self) -> &StoredTokens {
        &self.stored
    }

    async fn replace(mut self: Box<Self>, tokens: &TokenPair) -> Result<(), ConnectionsError> {
        let record = Record::new(tokens.clone());
        self.keeper.keep(&mut self.transaction, self.athlete_id, record, self.expected).await?;
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
        // They work no more: that the connection has ended counts, whether they can be deleted or not.
        if let Err(error) = self.keeper.forget(self.athlete_id).await {
            tracing::warn!(%error, athlete_id = %self.athlete_id, "dead tokens stay in the store");
        }
        Ok(())
    }
}
