use api::athletes::{AthletesError, StateFilter};
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
        let page = athletes(&pool).list(StateFilter::Any, after, 3).await.unwrap();
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
        let page = athletes(&pool).list(filter, None, 10).await.unwrap();
        let found: Vec<_> = page.athletes.iter().map(|athlete| athlete.athlete_id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}
