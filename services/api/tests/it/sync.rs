//! Syncs on a real Postgres: who may write, where a sync goes on, what its end does.

use std::time::Duration;

use api::activities::ActivitiesError;
use api::sync::{Admission, Ended, Job, ListPosition, Orphans, Outcome, SyncError, SyncPage};
use api_port::sync_v1::{AthleteSyncEnded, SyncAthlete, SyncReason};
use chrono::{TimeDelta, Utc};
use prost::Message as _;
use sqlx::PgPool;
use stravasync_schema::ConnectionState;
use uuid::Uuid;

use crate::support::{
    SYNC, activities, activity, athlete, athletes, database, job, page, session, syncs,
};

/// Pretends that the lease has expired.
async fn expire(pool: &PgPool, athlete_id: Uuid) {
    sqlx::query(
        "UPDATE sync_states SET lease_expires_at = now() - interval '1 hour' WHERE athlete_id = $1",
    )
    .bind(athlete_id)
    .execute(pool)
    .await
    .unwrap();
}

/// Jobs that the outbox holds for an athlete.
async fn promised(pool: &PgPool, athlete_id: Uuid) -> Vec<SyncAthlete> {
    let payloads: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT payload FROM outbox WHERE subject = $1 ORDER BY position")
            .bind(format!("athlete.sync.{athlete_id}"))
            .fetch_all(pool)
            .await
            .unwrap();
    payloads.iter().map(|payload| SyncAthlete::decode(payload.as_slice()).unwrap()).collect()
}

/// Walks through a list of activities with these numbers to its end.
async fn sync_all(pool: &PgPool, job: &Job, numbers: &[i64]) -> Ended {
    let syncs = syncs(pool);
    let lease = session(&syncs, job).await.lease;
    let batch: Vec<_> = numbers.iter().map(|number| activity(job.athlete_id, *number)).collect();
    if !batch.is_empty() {
        activities(pool).upsert(&page(job.athlete_id, lease), batch).await.unwrap();
    }
    syncs.end(job.athlete_id, &job.request_id, lease, Outcome::Succeeded).await.unwrap()
}

fn full(athlete_id: Uuid, request_id: &str) -> Job {
    Job { full: true, reason: SyncReason::Reconcile, ..job(athlete_id, request_id) }
}

fn is_superseded<T>(result: Result<T, SyncError>) -> bool {
    matches!(result, Err(SyncError::Superseded { lease_time }) if lease_time == SYNC.lease_time)
}

async fn count(pool: &PgPool, athlete_id: Uuid) -> i64 {
    activities(pool).totals(Some(athlete_id)).await.unwrap().activities
}

#[tokio::test]
async fn one_runs_and_what_the_others_asked_for_follows_once() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let syncs = syncs(&pool);
    let first = session(&syncs, &job(ada, "schedule")).await;
    for (request, reason) in [("webhook", SyncReason::Webhook), ("user", SyncReason::User)] {
        let other = Job { reason, ..job(ada, request) };
        for _delivery in 0..2 {
            assert_eq!(syncs.begin(&other).await.unwrap(), Admission::Folded);
        }
    }
    assert!(syncs.state(ada).await.unwrap().wanted);
    assert!(promised(&pool, ada).await.is_empty());
    let ended = syncs.end(ada, "schedule", first.lease, Outcome::Succeeded).await.unwrap();
    assert!(ended.follow_up);
    let follows = promised(&pool, ada).await;
    assert_eq!(follows.len(), 1, "{follows:?}");
    assert_eq!((follows[0].reason(), follows[0].full), (SyncReason::User, false));

    // The one that follows finds nothing to fold, and nothing follows it.
    let next = Job { request_id: follows[0].request_id.clone(), ..job(ada, "next") };
    let ended = sync_all(&pool, &next, &[1, 2]).await;
    assert_eq!(ended, Ended { activities: 2, inserted: 2, deleted: 0, follow_up: false });
    assert_eq!(promised(&pool, ada).await.len(), 1);
}

#[tokio::test]
async fn a_sync_ends_once_and_tells_it() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let syncs = syncs(&pool);
    let lease = session(&syncs, &job(ada, "r1")).await.lease;
    activities(&pool).upsert(&page(ada, lease), vec![activity(ada, 1)]).await.unwrap();
    let before = Utc::now();
    let ended = syncs.end(ada, "r1", lease, Outcome::Succeeded).await.unwrap();
    assert_eq!(ended, Ended { activities: 1, inserted: 1, deleted: 0, follow_up: false });
    // The answer was lost: asked again, it is the same, and nothing happens twice.
    assert_eq!(syncs.end(ada, "r1", lease, Outcome::Succeeded).await.unwrap(), ended);
    assert_eq!(syncs.begin(&job(ada, "r1")).await.unwrap(), Admission::Done);
    let synced = athletes(&pool).get(ada).await.unwrap().last_synced_at.unwrap();
    assert!(synced >= before - TimeDelta::seconds(1), "{synced} {before}");
    let events: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT event, payload FROM outbox").fetch_all(&pool).await.unwrap();
    assert_eq!((events.len(), events[0].0.as_str()), (1, "stravasync.sync.v1.AthleteSyncEnded"));
    let event = AthleteSyncEnded::decode(events[0].1.as_slice()).unwrap();
    assert_eq!((event.request_id.as_str(), event.activities, event.inserted), ("r1", 1, 1));
    assert!(is_superseded(syncs.renew(ada, lease).await), "a lease that was given up");
    assert!(is_superseded(syncs.end(ada, "r2", lease, Outcome::Succeeded).await));
}

#[tokio::test]
async fn a_stale_attempt_can_neither_write_nor_renew_nor_end() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let (syncs, activities) = (syncs(&pool), activities(&pool));
    let zombie = session(&syncs, &job(ada, "r1")).await.lease;
    let second_page = ListPosition { before: Some(500), ..ListPosition::NEWEST };
    let first = SyncPage { next: Some(second_page), ..page(ada, zombie) };
    activities.upsert(&first, vec![activity(ada, 1)]).await.unwrap();
    // The same message, delivered again, does not wait for the lease to expire.
    let live = session(&syncs, &job(ada, "r1")).await;
    assert!(live.lease > zombie);
    assert_eq!(live.position, second_page, "it goes on at the page");

    let stale = activities.upsert(&page(ada, zombie), vec![activity(ada, 2)]).await;
    assert!(matches!(stale, Err(ActivitiesError::Sync(SyncError::Superseded { .. }))), "{stale:?}");
    assert!(is_superseded(syncs.renew(ada, zombie).await));
    assert!(is_superseded(syncs.end(ada, "r1", zombie, Outcome::Succeeded).await));
    assert_eq!(count(&pool, ada).await, 1);

    syncs.renew(ada, live.lease).await.unwrap();
    activities.upsert(&page(ada, live.lease), vec![activity(ada, 2)]).await.unwrap();
    let ended = syncs.end(ada, "r1", live.lease, Outcome::Succeeded).await.unwrap();
    assert_eq!((ended.activities, ended.inserted), (2, 2), "both attempts together");
    // The zombie learns that the work is done, whoever did it.
    assert_eq!(syncs.end(ada, "r1", zombie, Outcome::Succeeded).await.unwrap(), ended);
}

#[tokio::test]
async fn an_expired_lease_is_anybodys_and_the_backfill_goes_on_at_its_page() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let syncs = syncs(&pool);
    let dead = session(&syncs, &job(ada, "r1")).await.lease;
    let third_page = ListPosition { before: Some(777), page: 2, after: None };
    let written = SyncPage { next: Some(third_page), ..page(ada, dead) };
    activities(&pool).upsert(&written, vec![activity(ada, 1)]).await.unwrap();
    assert_eq!(syncs.begin(&job(ada, "r2")).await.unwrap(), Admission::Folded);
    expire(&pool, ada).await;
    // Nobody has taken over: it may still go on.
    syncs.renew(ada, dead).await.unwrap();
    expire(&pool, ada).await;
    let asked = Utc::now() + TimeDelta::hours(1);
    let next = Job { requested_at: Some(asked), ..job(ada, "r2") };
    let heir = session(&syncs, &next).await;
    assert_eq!(heir.position, third_page);
    assert!(is_superseded(syncs.renew(ada, dead).await));
    let ended = syncs.end(ada, "r2", heir.lease, Outcome::Succeeded).await.unwrap();
    // The walk began before it was asked for, so what came since then is fetched once more.
    assert!(ended.follow_up);
    assert_eq!(ended.activities, 1);
    let state = syncs.state(ada).await.unwrap();
    assert!(state.last_full_walk_at.is_some() && !state.walking && !state.running);
}

#[tokio::test]
async fn later_syncs_ask_for_what_is_new_and_the_overlap() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let days = |days: i64| days * 24 * 60;
    sync_all(&pool, &job(ada, "r1"), &[days(1), days(30)]).await;
    let next = session(&syncs(&pool), &job(ada, "r2")).await;
    assert_eq!(next.position, ListPosition::after(23 * 24 * 3600));
    // What was asked for before the walk began is done.
    let stale = Job { requested_at: Some(Utc::now() - TimeDelta::hours(1)), ..job(ada, "r0") };
    syncs(&pool).end(ada, "r2", next.lease, Outcome::Succeeded).await.unwrap();
    assert_eq!(syncs(&pool).begin(&stale).await.unwrap(), Admission::Done);
}

#[tokio::test]
async fn only_a_whole_walk_that_came_to_its_end_deletes() {
    let pool = database().await;
    let (ada, bob) =
        (athlete(&pool, "ada").await.athlete_id, athlete(&pool, "bob").await.athlete_id);
    let others: Vec<i64> = (101..=103).collect();
    sync_all(&pool, &job(bob, "b1"), &others).await;
    let all: Vec<i64> = (1..=10).collect();
    assert_eq!(sync_all(&pool, &job(ada, "r1"), &all).await.deleted, 0);
    // Sees a part of the list, as it should.
    assert_eq!(sync_all(&pool, &job(ada, "r2"), &[9, 10]).await.deleted, 0);
    assert_eq!(count(&pool, ada).await, 10);

    // Sees a part of it, and dies.
    let (syncs, activities) = (syncs(&pool), activities(&pool));
    let dead = session(&syncs, &full(ada, "r3")).await.lease;
    activities.upsert(&page(ada, dead), vec![activity(ada, 10), activity(ada, 9)]).await.unwrap();
    assert_eq!(count(&pool, ada).await, 10);
    // Its heir finds the rest, but for two; and the first found one that has changed.
    let heir = session(&syncs, &full(ada, "r3")).await.lease;
    let mut changed = activity(ada, 8);
    changed.name = "A new title".to_owned();
    let rest = (1..=6).map(|number| activity(ada, number)).chain([changed.clone()]).collect();
    activities.upsert(&page(ada, heir), rest).await.unwrap();
    let ended = syncs.end(ada, "r3", heir, Outcome::Succeeded).await.unwrap();
    assert_eq!(ended, Ended { activities: 9, inserted: 0, deleted: 1, follow_up: false });
    assert!(matches!(activities.get(7).await, Err(ActivitiesError::NotFound)));
    assert_eq!(activities.get(8).await.unwrap(), changed);
    assert_eq!((count(&pool, ada).await, count(&pool, bob).await), (9, 3));
}

#[tokio::test]
async fn a_walk_marks_what_it_sees_without_calling_it_changed() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    sync_all(&pool, &job(ada, "r1"), &[1, 2, 3]).await;
    let touched = "SELECT count(*) FROM activities WHERE updated_at > created_at";
    let lease = session(&syncs(&pool), &full(ada, "r2")).await.lease;
    let batch: Vec<_> = (1..=3).map(|number| activity(ada, number)).collect();
    for _ in 0..2 {
        let upserted = activities(&pool).upsert(&page(ada, lease), batch.clone()).await.unwrap();
        assert_eq!((upserted.updated, upserted.unchanged), (0, 3));
    }
    let touched: i64 = sqlx::query_scalar(touched).fetch_one(&pool).await.unwrap();
    assert_eq!(touched, 0);
    let ended = syncs(&pool).end(ada, "r2", lease, Outcome::Succeeded).await.unwrap();
    assert_eq!(ended, Ended { activities: 3, inserted: 0, deleted: 0, follow_up: false });
}

#[tokio::test]
async fn an_empty_list_is_believed_the_second_time_and_a_muddled_one_never() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    sync_all(&pool, &job(ada, "r1"), &[1, 2]).await;
    assert_eq!(sync_all(&pool, &full(ada, "r2"), &[]).await.deleted, 0);
    assert_eq!(sync_all(&pool, &full(ada, "r3"), &[1, 2]).await.deleted, 0);

    // One of those that could not be read may be one of ours.
    let (syncs, activities) = (syncs(&pool), activities(&pool));
    let lease = session(&syncs, &full(ada, "r4")).await.lease;
    let muddled = SyncPage { unusable: 1, ..page(ada, lease) };
    activities.upsert(&muddled, vec![activity(ada, 2)]).await.unwrap();
    let ended = syncs.end(ada, "r4", lease, Outcome::Succeeded).await.unwrap();
    assert_eq!((ended.activities, ended.deleted), (2, 0));

    assert_eq!(sync_all(&pool, &full(ada, "r5"), &[]).await.deleted, 0);
    assert_eq!(count(&pool, ada).await, 2);
    assert_eq!(sync_all(&pool, &full(ada, "r6"), &[]).await.deleted, 2);
}

#[tokio::test]
async fn what_was_folded_into_a_sync_that_never_ends_follows_all_the_same() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let syncs = syncs(&pool);
    let lease = session(&syncs, &job(ada, "lost")).await.lease;
    let orphans = Orphans::new(pool.clone(), SYNC, Duration::from_secs(30));
    assert_eq!(orphans.publish().await.unwrap(), 0);
    assert_eq!(syncs.begin(&full(ada, "waits")).await.unwrap(), Admission::Folded);
    assert_eq!(orphans.publish().await.unwrap(), 0, "the sync runs");
    expire(&pool, ada).await;
    assert_eq!(orphans.publish().await.unwrap(), 1);
    assert_eq!(orphans.publish().await.unwrap(), 0);
    let follows = promised(&pool, ada).await;
    assert_eq!((follows.len(), follows[0].full), (1, true));
    assert_eq!(follows[0].reason(), SyncReason::Reconcile);
    // Who was thought lost may still end.
    let ended = syncs.end(ada, "lost", lease, Outcome::Succeeded).await.unwrap();
    assert!(!ended.follow_up);
}

#[tokio::test]
async fn a_missing_consent_ends_the_connection_unless_it_is_newer() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let connect = "INSERT INTO strava_connections (athlete_id, strava_athlete_id, state, scopes) \
                   VALUES ($1, 1, 'connected', '{}')";
    sqlx::query(connect).bind(ada).execute(&pool).await.unwrap();
    let syncs = syncs(&pool);
    let state = async || athletes(&pool).get(ada).await.unwrap().connection_state;

    let lease = session(&syncs, &job(ada, "r1")).await.lease;
    let consent = "UPDATE strava_connections SET updated_at = clock_timestamp()";
    sqlx::query(consent).execute(&pool).await.unwrap();
    let job_of_it = Job { reason: SyncReason::Consent, ..job(ada, "consent") };
    assert_eq!(syncs.begin(&job_of_it).await.unwrap(), Admission::Folded);
    let ended = syncs.end(ada, "r1", lease, Outcome::NeedsConsent).await.unwrap();
    assert_eq!(state().await, Some(ConnectionState::Connected));
    assert!(ended.follow_up, "the new consent is seen to");
    assert_eq!(promised(&pool, ada).await[0].reason(), SyncReason::Consent);

    let lease = session(&syncs, &job(ada, "r2")).await.lease;
    assert_eq!(syncs.begin(&job(ada, "r3")).await.unwrap(), Admission::Folded);
    let ended = syncs.end(ada, "r2", lease, Outcome::NeedsConsent).await.unwrap();
    assert!(!ended.follow_up);
    assert_eq!(state().await, Some(ConnectionState::Revoked));
    assert_eq!(athletes(&pool).get(ada).await.unwrap().last_synced_at, None);
}

#[tokio::test]
async fn a_sync_of_nobody_is_refused() {
    let pool = database().await;
    let (syncs, nobody) = (syncs(&pool), Uuid::now_v7());
    let refused = syncs.begin(&job(nobody, "r")).await;
    assert!(matches!(refused, Err(SyncError::AthleteNotFound)), "{refused:?}");
    assert!(matches!(syncs.state(nobody).await, Err(SyncError::AthleteNotFound)));
}
