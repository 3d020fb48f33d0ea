//! Athletes in Postgres.

use async_trait::async_trait;
use chrono::DateTime;
use sqlx::PgPool;
use stravasync_schema::ConnectionState;
use uuid::Uuid;

use super::{Athlete, AthleteFilter, AthleteKey, AthletesError, NewAthlete, StateFilter};
use crate::database::violated;

/// Keeps athletes.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait AthletesRepository: Send + Sync {
    /// Adds an athlete.
    async fn insert(&self, athlete: &NewAthlete) -> Result<Athlete, AthletesError>;
    /// Finds an athlete.
    async fn find(&self, athlete_id: Uuid) -> Result<Option<Athlete>, AthletesError>;
    /// Up to `limit` athletes after a place, oldest registration first.
    async fn list(
        &self,
        filter: AthleteFilter,
        after: Option<AthleteKey>,
        limit: i64,
    ) -> Result<Vec<Athlete>, AthletesError>;
}

/// [`AthletesRepository`] over Postgres.
#[derive(Clone)]
pub struct PgAthletes {
    pool: PgPool,
}

impl PgAthletes {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// Whether there is such an athlete. For those who have nothing of the athlete, and want to say why.
pub(crate) async fn is_registered(pool: &PgPool, athlete_id: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM athletes WHERE athlete_id = $1) AS "exists!""#,
        athlete_id,
    )
    .fetch_one(pool)
    .await
}

#[async_trait]
impl AthletesRepository for PgAthletes {
    async fn insert(&self, athlete: &NewAthlete) -> Result<Athlete, AthletesError> {
        let created_at = sqlx::query_scalar!(
            "INSERT INTO athletes (athlete_id, display_name, email) VALUES ($1, $2, $3) \
             RETURNING created_at",
            athlete.athlete_id,
            athlete.display_name,
            athlete.email,
        )
        .fetch_one(&self.pool)
        .await
        .map_err(|error| match violated(&error) {
            Some("athletes_email_key") => AthletesError::EmailTaken,
            _ => error.into(),
        })?;
        Ok(Athlete {
            athlete_id: athlete.athlete_id,
            display_name: athlete.display_name.clone(),
            email: athlete.email.clone(),
            created_at,
            last_synced_at: None,
            connection_state: None,
        })
    }

    async fn find(&self, athlete_id: Uuid) -> Result<Option<Athlete>, AthletesError> {
        let athlete = sqlx::query_as!(
            Athlete,
            r#"SELECT a.athlete_id, a.display_name, a.email, a.created_at, a.last_synced_at,
                      c.state AS "connection_state?: ConnectionState"
               FROM athletes a LEFT JOIN strava_connections c USING (athlete_id)
               WHERE a.athlete_id = $1"#,
            athlete_id,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(athlete)
    }

    async fn list(
        &self,
        filter: AthleteFilter,
        after: Option<AthleteKey>,
        limit: i64,
    ) -> Result<Vec<Athlete>, AthletesError> {
        // Nobody registered at the epoch: it stands before the first athlete, and spares the
        // planner a condition on whether there is a token.
        let after = after.unwrap_or(AthleteKey { time: DateTime::UNIX_EPOCH, id: [0; 16] });
        let (never_connected, state) = match filter.state {
            StateFilter::Any => (false, None),
            StateFilter::NeverConnected => (true, None),
            StateFilter::In(state) => (false, Some(state)),
        };
        // What is said of $6 first follows from what is said of it after; it spares looking up the
        // connection of everybody who was synced lately, which are nearly all.
        let athletes = sqlx::query_as!(
            Athlete,
            r#"SELECT a.athlete_id, a.display_name, a.email, a.created_at, a.last_synced_at,
                      c.state AS "connection_state?: ConnectionState"
               FROM athletes a LEFT JOIN strava_connections c USING (athlete_id)
               WHERE (a.created_at, a.athlete_id) > ($1, $2)
                 AND ($3::connection_state IS NULL OR c.state = $3)
                 AND (NOT $4::boolean OR c.athlete_id IS NULL)
                 AND ($6::timestamptz IS NULL OR a.last_synced_at IS NULL OR a.last_synced_at < $6)
                 AND ($6::timestamptz IS NULL
                      OR COALESCE(a.last_synced_at, c.created_at, a.created_at) < $6)
               ORDER BY a.created_at, a.athlete_id
               LIMIT $5"#,
            after.time,
            Uuid::from_bytes(after.id),
            state as Option<ConnectionState>,
            never_connected,
            limit,
            filter.not_synced_since,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(athletes)
    }
}
