use api::athletes::{AthleteFilter, AthletesError, StateFilter};
use chrono::{TimeDelta, Utc};
use stravasync_schema::{AthletesRow, ConnectionState};

use crate::support::{athlete, athletes, database};

#[tokio::test]
async fn an_address_is_registered_once_whatever_its_case() {
    let pool = database().await;
    let ada = athletes(&pool).register("Ada", "Ada@example.org").await.unwrap();
    assert_eq!(athletes(&pool).get(ada.athlete_id).await.unwrap(), ada);
    let again = athletes(&pool).register("Ada", "ada@EXAMPLE.org").await;
    assert!(matches!(again, Err(AthletesError::EmailTaken)), "{again:?}");
    let row: AthletesRow = sqlx::query_as("SELECT * FROM athletes").fetch_one(&pool).await.unwrap();
    assert_eq!(row.email, "Ada@example.org");
}

#[tokio::test]
async fn pages_hold_every_athlete_once_in_order() {
    let pool = database().await;
    let mut registered = Vec::new();
    for number in 0..7 {
        registered.push(athlete(&pool, &format!("athlete{number}")).await.athlete_id);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = athletes(&pool).list(StateFilter::Any.into(), after, 3).await.unwrap();
        seen.extend(page.athletes.iter().map(|athlete| athlete.athlete_id));
        // Somebody who registers in the meantime comes last, and hides nobody.
        if seen.len() == 3 {
            registered.push(athlete(&pool, "late").await.athlete_id);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, registered);
}

#[tokio::test]
async fn athletes_are_filtered_by_the_state_of_their_connection() {
    let pool = database().await;
    let mut ids = Vec::new();
    for (number, state) in [None, Some("connected"), Some("revoked")].into_iter().enumerate() {
        let id = athlete(&pool, &format!("athlete{number}")).await.athlete_id;
        ids.push(id);
        if let Some(state) = state {
            sqlx::query(
                "INSERT INTO strava_connections (athlete_id, strava_athlete_id, state, scopes) \
                 VALUES ($1, $2, $3::connection_state, '{}')",
            )
            .bind(id)
            .bind(i64::try_from(number).unwrap())
            .bind(state)
            .execute(&pool)
            .await
            .unwrap();
        }
    }
    for (filter, expected) in [
        (StateFilter::Any, ids.clone()),
        (StateFilter::NeverConnected, vec![ids[0]]),
        (StateFilter::In(ConnectionState::Connected), vec![ids[1]]),
        (StateFilter::In(ConnectionState::Revoked), vec![ids[2]]),
    ] {
        let page = athletes(&pool).list(filter.into(), None, 10).await.unwrap();
        let found: Vec<_> = page.athletes.iter().map(|athlete| athlete.athlete_id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn athletes_without_a_sync_since_a_time_are_found() {
    let pool = database().await;
    let now = Utc::now();
    let days = |days| now - TimeDelta::days(days);
    // When the athlete registered, first consented, and was synced last.
    let lives = [
        (days(9), Some(days(8)), Some(days(1))),
        (days(9), Some(days(8)), Some(days(4))),
        (days(9), Some(days(8)), None),
        (days(9), Some(days(2)), None),
        (days(9), None, None),
    ];
    let mut ids = Vec::new();
    for (number, (registered, consented, synced)) in lives.into_iter().enumerate() {
        let id = athlete(&pool, &format!("athlete{number}")).await.athlete_id;
        ids.push(id);
        sqlx::query(
            "UPDATE athletes SET created_at = $2 + $4 * interval '1 s', last_synced_at = $3 \
             WHERE athlete_id = $1",
        )
        .bind(id)
        .bind(registered)
        .bind(synced)
        .bind(i32::try_from(number).unwrap())
        .execute(&pool)
        .await
        .unwrap();
        let Some(consented) = consented else { continue };
        sqlx::query(
            "INSERT INTO strava_connections \
             (athlete_id, strava_athlete_id, state, scopes, created_at) \
             VALUES ($1, $2, 'connected', '{}', $3)",
        )
        .bind(id)
        .bind(i64::try_from(number).unwrap())
        .bind(consented)
        .execute(&pool)
        .await
        .unwrap();
    }
    for (state, expected) in [
        (StateFilter::In(ConnectionState::Connected), vec![ids[1], ids[2]]),
        (StateFilter::Any, vec![ids[1], ids[2], ids[4]]),
    ] {
        let filter = AthleteFilter { state, not_synced_since: Some(days(3)) };
        let page = athletes(&pool).list(filter, None, 10).await.unwrap();
        let found: Vec<_> = page.athletes.iter().map(|athlete| athlete.athlete_id).collect();
        assert_eq!(found, expected, "{state:?}");
    }
}
