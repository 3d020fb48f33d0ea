//! Tokens that are still in Postgres, moved to the secret store.

use std::time::Duration;

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use treaty_secrets::Expected;
use uuid::Uuid;

use super::TokenKeeper;
use super::record::Record;
use crate::connections::{ConnectionsError, TokenPair};

/// Athletes looked up at a time.
const BATCH: i64 = 100;
/// Wait after a failure: the store may be sealed.
const PAUSE: Duration = Duration::from_secs(10);

/// Moves what a database of a former version has.
pub struct TokenMove {
    keeper: TokenKeeper,
}

impl TokenMove {
    /// Over a keeper.
    #[must_use]
    pub fn new(keeper: TokenKeeper) -> Self {
        Self { keeper }
    }

    /// Moves all tokens, then waits for `stop`. Several processes may do it at the same time.
    pub async fn run(self, stop: CancellationToken) {
        let moving = async {
            while let Err(error) = self.keeper.move_all().await {
                tracing::warn!(%error, "tokens cannot be moved to the secret store yet");
                tokio::time::sleep(PAUSE).await;
            }
        };
        if stop.run_until_cancelled(moving).await.is_some() {
            stop.cancelled().await;
        }
    }
}

impl TokenKeeper {
    /// Moves the tokens of all athletes. Gives how many it was.
    pub(super) async fn move_all(&self) -> Result<usize, ConnectionsError> {
        let mut moved = 0;
        loop {
            let athletes = sqlx::query_scalar!(
                "SELECT athlete_id FROM strava_tokens JOIN strava_connections USING (athlete_id) \
                 WHERE tokens_id IS NULL AND state = 'connected' LIMIT $1",
                BATCH,
            )
            .fetch_all(&self.pool)
            .await?;
            if athletes.is_empty() {
                break;
            }
            for athlete_id in athletes {
                moved += usize::from(self.move_one(athlete_id).await?);
            }
        }
        // What is left works no more.
        sqlx::query!(
            "DELETE FROM strava_tokens USING strava_connections c \
             WHERE c.athlete_id = strava_tokens.athlete_id AND c.state = 'revoked'",
        )
        .execute(&self.pool)
        .await?;
        if moved > 0 {
            tracing::info!(moved, "the tokens of all athletes are in the secret store");
        }
        Ok(moved)
    }

    /// Moves the tokens of an athlete, if they are still in Postgres, and tells whether it did. They are
    /// in the store before they are deleted here.
    pub(super) async fn move_one(&self, athlete_id: Uuid) -> Result<bool, ConnectionsError> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query!(
            "SELECT t.access_token, t.refresh_token, t.expires_at, t.updated_at \
             FROM strava_connections c JOIN strava_tokens t USING (athlete_id) \
             WHERE c.athlete_id = $1 AND c.tokens_id IS NULL AND c.state = 'connected' FOR UPDATE",
            athlete_id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(false) };
        match self.stored(athlete_id).await? {
            // Somebody has moved them, or kept those of a new consent, and could not commit.
            (Some(record), _) => self.name(&mut transaction, athlete_id, record.id).await?,
            (None, _) => {
                let tokens = TokenPair {
                    access_token: SecretString::from(row.access_token),
                    refresh_token: SecretString::from(row.refresh_token),
                    expires_at: row.expires_at,
                };
                let record = Record { received_at: row.updated_at, ..Record::new(tokens) };
                self.keep(&mut transaction, athlete_id, record, Expected::Absent).await?;
            }
        }
        sqlx::query!("DELETE FROM strava_tokens WHERE athlete_id = $1", athlete_id)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}
