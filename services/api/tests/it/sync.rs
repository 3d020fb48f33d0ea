use api::sync::{PgSyncRuns, SyncError, SyncRun, SyncRunsRepository as _};
use chrono::{TimeDelta, Utc};
use sqlx::PgPool;
use stravasync_schema::{ConnectionState, SyncOutcome};
use uuid::Uuid;

use crate::support::{athlete, athletes, database};

fn run(athlete_id: Uuid, request_id: &str, outcome: SyncOutcome) -> SyncRun {
    SyncRun {
        athlete_id,
        request_id: request_id.to_owned(),
        outcome,
        activities: 5,
        inserted: 2,
        // Postgres keeps microseconds.
        ended_at: chrono::DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap(),
    }
}

async fn connect(pool: &PgPool, athlete_id: Uuid) {
    sqlx::query(
        "INSERT INTO strava_connections (athlete_id, strava_athlete_id, state, scopes) \
         VALUES ($1, 1, 'connected', '{}')",
    )
    .bind(athlete_id)
    .execute(pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_sync_is_recorded_once_and_the_latest_end_is_kept() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let runs = PgSyncRuns::new(pool.clone());
    let late = run(ada, "r2", SyncOutcome::Succeeded);
    let early = SyncRun {
        request_id: "r1".to_owned(),
        ended_at: late.ended_at - TimeDelta::hours(1),
        ..late.clone()
    };
    assert!(runs.record(&late).await.unwrap());
    assert!(!runs.record(&late).await.unwrap(), "a second delivery changes nothing");
    assert!(runs.record(&early).await.unwrap());
    let kept = athletes(&pool).get(ada).await.unwrap();
    assert_eq!(kept.last_synced_at, Some(late.ended_at));
}

#[tokio::test]
async fn a_missing_consent_ends_the_connection_unless_it_is_newer() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    connect(&pool, ada).await;
    let runs = PgSyncRuns::new(pool.clone());
    let mut old = run(ada, "old", SyncOutcome::NeedsConsent);
    old.ended_at -= TimeDelta::hours(1);
    runs.record(&old).await.unwrap();
    let state = async || athletes(&pool).get(ada).await.unwrap().connection_state;
    assert_eq!(state().await, Some(ConnectionState::Connected));
    let mut new = run(ada, "new", SyncOutcome::NeedsConsent);
    new.ended_at += TimeDelta::minutes(1);
    runs.record(&new).await.unwrap();
    assert_eq!(state().await, Some(ConnectionState::Revoked));
    assert_eq!(athletes(&pool).get(ada).await.unwrap().last_synced_at, None);
}

#[tokio::test]
async fn a_sync_of_nobody_is_refused() {
    let pool = database().await;
    let nobody = run(Uuid::now_v7(), "r", SyncOutcome::Succeeded);
    let refused = PgSyncRuns::new(pool).record(&nobody).await;
    assert!(matches!(refused, Err(SyncError::AthleteNotFound)), "{refused:?}");
}
