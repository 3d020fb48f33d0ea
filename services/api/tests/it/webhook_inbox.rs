//! What becomes of recorded events: jobs, deletions, and the end of a consent.

use std::time::Duration;

use api::connections::Connections;
use api::sync::{Outcome, SyncPage};
use api::webhooks::{Event, Handled, Inbox, InboxSettings, Recorded, Recorder, WebhookStats};
use api_port::sync_v1::{SyncAthlete, SyncReason};
use prost::Message as _;
use serde_json::Value;
use sqlx::PgPool;
use std::sync::Arc;
use treaty_secrets::{SecretPath, SecretStore as _};
use uuid::Uuid;

use crate::connections::{browse, connections, simulator};
use crate::support::{
    SYNC, activities, activity, athlete, database, file_store, job, keeper, page, secrets_of,
    session, syncs,
};
use crate::webhooks::{SUBSCRIPTION, connected, event};

const SETTINGS: InboxSettings = InboxSettings {
    gather: Duration::ZERO,
    keep: Duration::from_secs(3600),
    keep_revoked: Duration::from_secs(7 * 24 * 3600),
};

/// The inbox of one process.
async fn inbox(pool: &PgPool) -> (strava::Simulator, Inbox) {
    let (simulator, strava) = simulator(21_600).await;
    let service = connections(pool, strava).await;
    (simulator, inbox_of(pool, &service).await)
}

async fn inbox_of(pool: &PgPool, service: &Connections) -> Inbox {
    Inbox::new(pool.clone(), service.clone(), keeper(pool).await, SETTINGS, SYNC.overlap)
}

async fn record(pool: &PgPool, told: &Value) -> Recorded {
    let stats: Arc<WebhookStats> = Arc::default();
    let event = Event::read(told.to_string().as_bytes()).unwrap();
    Recorder::new(pool.clone(), stats).record(event).await.unwrap()
}

/// Jobs that were promised, the oldest first.
async fn jobs(pool: &PgPool) -> Vec<SyncAthlete> {
    let payloads: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT payload FROM outbox WHERE event LIKE '%.SyncAthlete' ORDER BY position",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let decode = |payload: Vec<u8>| SyncAthlete::decode(payload.as_slice()).unwrap();
    payloads.into_iter().map(decode).collect()
}

async fn waiting(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM webhook_events WHERE processed_at IS NULL")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn stored(pool: &PgPool, athlete_id: Uuid) -> i64 {
    activities(pool).totals(Some(athlete_id)).await.unwrap().activities
}

/// Makes what waits due.
async fn time_passes(pool: &PgPool) {
    sqlx::query("UPDATE webhook_events SET next_attempt_at = now() WHERE processed_at IS NULL")
        .execute(pool)
        .await
        .unwrap();
}

/// A whole sync that finds these activities.
async fn sync(pool: &PgPool, athlete_id: Uuid, request: &str, numbers: &[i64]) {
    let lease = session(&syncs(pool), &job(athlete_id, request)).await.lease;
    let batch = numbers.iter().map(|number| activity(athlete_id, *number)).collect();
    activities(pool).upsert(&page(athlete_id, lease), batch).await.unwrap();
    syncs(pool).end(athlete_id, request, lease, Outcome::Succeeded).await.unwrap();
}

#[tokio::test]
async fn the_events_of_an_athlete_become_one_job() {
    let pool = database().await;
    let (ada, bob) = (connected(&pool, "ada", 7).await, connected(&pool, "bob", 8).await);
    let (_strava, inbox) = inbox(&pool).await;
    for second in 0..5 {
        assert_eq!(record(&pool, &event(7, 1, "update", second)).await, Recorded::New);
    }
    assert_eq!(record(&pool, &event(7, 1, "update", 0)).await, Recorded::Duplicate);
    record(&pool, &event(8, 2, "create", 1)).await;
    // Two processes at once share the athletes.
    let both = tokio::join!(inbox.handle_athlete(), inbox.handle_athlete());
    assert_eq!((both.0.unwrap(), both.1.unwrap()), (Some(Handled::Done), Some(Handled::Done)));
    assert_eq!(inbox.handle_athlete().await.unwrap(), None);
    let jobs = jobs(&pool).await;
    let mut athletes: Vec<_> = jobs.iter().map(|job| job.athlete_id.clone()).collect();
    athletes.sort();
    let mut expected = vec![ada.to_string(), bob.to_string()];
    expected.sort();
    assert_eq!(athletes, expected);
    assert!(jobs.iter().all(|job| job.reason() == SyncReason::Webhook && !job.full), "{jobs:?}");
}

#[tokio::test]
async fn a_deletion_cannot_be_undone_by_a_list_that_was_read_before_it() {
    let pool = database().await;
    let ada = connected(&pool, "ada", 7).await;
    let (_strava, inbox) = inbox(&pool).await;
    sync(&pool, ada, "r1", &[1, 2]).await;
    // A sync has read the list and not written it when the deletion is told.
    let lease = session(&syncs(&pool), &job(ada, "r2")).await.lease;
    record(&pool, &event(7, 1, "delete", 10)).await;
    assert_eq!(inbox.handle_athlete().await.unwrap(), Some(Handled::Done));
    assert_eq!(stored(&pool, ada).await, 1);
    let batch = vec![activity(ada, 1), activity(ada, 2), activity(ada, 3)];
    let upserted = activities(&pool).upsert(&page(ada, lease), batch).await.unwrap();
    assert_eq!((upserted.inserted, upserted.unchanged), (1, 2));
    assert!(activities(&pool).get(1).await.is_err(), "it stays deleted");
    syncs(&pool).end(ada, "r2", lease, Outcome::Succeeded).await.unwrap();
    assert!(jobs(&pool).await.is_empty(), "a deletion asks for nothing");

    // An event from before it, which comes late, changes nothing.
    record(&pool, &event(7, 1, "create", 9)).await;
    assert_eq!(inbox.handle_athlete().await.unwrap(), Some(Handled::Done));
    assert_eq!((jobs(&pool).await.len(), waiting(&pool).await), (0, 0));
    // A list that was read afterwards is the truth: it has come into our sight again.
    sync(&pool, ada, "r3", &[1]).await;
    assert!(activities(&pool).get(1).await.is_ok());
}

#[tokio::test]
async fn nobody_deletes_what_is_another_s() {
    let pool = database().await;
    let ada = connected(&pool, "ada", 7).await;
    connected(&pool, "bob", 8).await;
    let (_strava, inbox) = inbox(&pool).await;
    sync(&pool, ada, "r1", &[1]).await;
    record(&pool, &event(8, 1, "delete", 10)).await;
    assert_eq!(inbox.handle_athlete().await.unwrap(), Some(Handled::Done));
    assert_eq!(stored(&pool, ada).await, 1);
    sync(&pool, ada, "r2", &[1]).await;
    assert_eq!(stored(&pool, ada).await, 1);
}

#[tokio::test]
async fn a_new_activity_that_does_not_come_is_looked_for_in_the_whole_list() {
    let pool = database().await;
    let ada = connected(&pool, "ada", 7).await;
    let (_strava, inbox) = inbox(&pool).await;
    sync(&pool, ada, "r1", &[1]).await;
    record(&pool, &event(7, 2, "create", 10)).await;
    inbox.handle_athlete().await.unwrap();
    assert_eq!((jobs(&pool).await.len(), waiting(&pool).await), (1, 1), "it is looked after");
    time_passes(&pool).await;
    inbox.handle_athlete().await.unwrap();
    assert_eq!((jobs(&pool).await.len(), waiting(&pool).await), (1, 1), "the sync goes on");
    sync(&pool, ada, "r2", &[1]).await;
    time_passes(&pool).await;
    inbox.handle_athlete().await.unwrap();
    let jobs = jobs(&pool).await;
    assert_eq!((jobs.len(), jobs[1].full, waiting(&pool).await), (2, true, 0));
}

#[tokio::test]
async fn a_change_of_an_old_activity_takes_the_whole_list() {
    let pool = database().await;
    let ada = connected(&pool, "ada", 7).await;
    let (_strava, inbox) = inbox(&pool).await;
    // The second starts three weeks after the first.
    sync(&pool, ada, "r1", &[1, 30_240]).await;
    for (id, full) in [(30_240, false), (1, true)] {
        record(&pool, &event(7, id, "update", id)).await;
        inbox.handle_athlete().await.unwrap();
        assert_eq!(jobs(&pool).await.last().unwrap().full, full, "{id}");
        assert_eq!(waiting(&pool).await, 0, "the job brings what there is");
    }
}

/// An athlete who has consented at the simulator, with activities and a sync under way.
async fn consented(pool: &PgPool, strava: &Connections) -> (Uuid, SyncPage) {
    let ada = athlete(pool, "ada").await.athlete_id;
    let answer = browse(&strava.start_consent(ada).await.unwrap(), "sim_athlete=3").await;
    strava.complete_consent(answer).await.unwrap();
    sqlx::query("INSERT INTO webhook_subscriptions VALUES ($1)")
        .bind(SUBSCRIPTION)
        .execute(pool)
        .await
        .unwrap();
    sync(pool, ada, "r1", &[1, 2, 3]).await;
    let lease = session(&syncs(pool), &job(ada, "r2")).await.lease;
    (ada, page(ada, lease))
}

/// The simulator's athlete of that index.
const OWNER: i64 = 10_000_003;

fn withdrawal(second: i64) -> Value {
    let mut told = event(OWNER, OWNER, "update", second);
    told["object_type"] = "athlete".into();
    told["updates"] = serde_json::json!({"authorized": "false"});
    told
}

#[tokio::test]
async fn a_withdrawal_is_confirmed_and_then_everything_of_strava_s_is_deleted() {
    let pool = database().await;
    let (simulator, oauth) = simulator(21_600).await;
    let service = connections(&pool, oauth).await;
    let (ada, running) = consented(&pool, &service).await;
    let bob = connected(&pool, "bob", 8).await;
    sync(&pool, bob, "r1", &[9]).await;
    let inbox = inbox_of(&pool, &service).await;

    // Who forges the event finds out nothing and changes nothing.
    record(&pool, &withdrawal(10)).await;
    assert_eq!(inbox.handle_athlete().await.unwrap(), Some(Handled::Done));
    assert_eq!((stored(&pool, ada).await, waiting(&pool).await), (3, 0));
    assert!(service.access_token(ada, None).await.is_ok());

    let url = format!("{}/_sim/athletes/{OWNER}/deauthorize", simulator.url());
    reqwest::Client::new().post(url).send().await.unwrap().error_for_status().unwrap();
    record(&pool, &withdrawal(11)).await;
    record(&pool, &event(OWNER, 4, "create", 10)).await;
    let store = file_store(secrets_of(&pool)).await;
    let tokens = SecretPath::new(format!("stravasync/athletes/{ada}")).unwrap();
    assert!(store.read(&tokens).await.unwrap().is_some());
    assert_eq!(inbox.handle_athlete().await.unwrap(), Some(Handled::Erased));
    assert!(store.read(&tokens).await.unwrap().is_none());
    assert_eq!(inbox.handle_athlete().await.unwrap(), None);
    for (table, rows) in [
        ("activities", 0),
        ("strava_connections", 0),
        ("strava_tokens", 0),
        ("sync_runs", 0),
        ("webhook_events", 0),
        ("deleted_activities", 0),
        ("athletes", 1),
    ] {
        let count = format!("SELECT count(*) FROM {table} WHERE athlete_id = $1");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .bind(ada)
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(count, rows, "{table}");
    }
    assert_eq!(stored(&pool, bob).await, 1, "nobody else's");

    // The sync that was at work brings nothing back, nor does the event's next attempt.
    let late = activities(&pool).upsert(&running, vec![activity(ada, 1)]).await;
    assert!(late.is_err(), "{late:?}");
    assert_eq!(record(&pool, &withdrawal(11)).await, Recorded::UnknownOwner);
    assert_eq!(stored(&pool, ada).await, 0);

    // A new consent begins anew, and the old sync's lease stays void.
    let answer = browse(&service.start_consent(ada).await.unwrap(), "sim_athlete=3").await;
    service.complete_consent(answer).await.unwrap();
    sync(&pool, ada, "r3", &[1]).await;
    let late = activities(&pool).upsert(&running, vec![activity(ada, 2)]).await;
    assert!(late.is_err(), "{late:?}");
    assert_eq!(stored(&pool, ada).await, 1);
}

#[tokio::test]
async fn without_strava_s_word_nothing_is_deleted_and_it_is_asked_again() {
    let pool = database().await;
    let (simulator, oauth) = simulator(21_600).await;
    let service = connections(&pool, oauth).await;
    let (ada, _) = consented(&pool, &service).await;
    let inbox = inbox_of(&pool, &service).await;
    simulator.stop().await;
    record(&pool, &withdrawal(10)).await;
    assert_eq!(inbox.handle_athlete().await.unwrap(), Some(Handled::PutOff));
    assert_eq!(inbox.handle_athlete().await.unwrap(), None, "not at once");
    assert_eq!((stored(&pool, ada).await, waiting(&pool).await), (3, 1));
    time_passes(&pool).await;
    assert_eq!(inbox.handle_athlete().await.unwrap(), Some(Handled::PutOff));
}

#[tokio::test]
async fn a_consent_that_ended_long_ago_without_anybody_telling_is_a_withdrawal() {
    let pool = database().await;
    let (simulator, oauth) = simulator(21_600).await;
    let service = connections(&pool, oauth).await;
    let (ada, _) = consented(&pool, &service).await;
    let inbox = inbox_of(&pool, &service).await;
    let refused = async |days: i32| {
        sqlx::query(
            "UPDATE strava_connections SET state = 'revoked', \
                 updated_at = now() - make_interval(days => $1)",
        )
        .bind(days)
        .execute(&pool)
        .await
        .unwrap();
    };
    let url = format!("{}/_sim/athletes/{OWNER}/deauthorize", simulator.url());
    reqwest::Client::new().post(url).send().await.unwrap().error_for_status().unwrap();
    refused(6).await;
    assert_eq!(inbox.note_overdue().await.unwrap(), 0);
    refused(8).await;
    assert_eq!(inbox.note_overdue().await.unwrap(), 1);
    assert_eq!(inbox.note_overdue().await.unwrap(), 0, "it is looked at once");
    assert_eq!(inbox.handle_athlete().await.unwrap(), Some(Handled::Erased));
    assert_eq!((stored(&pool, ada).await, waiting(&pool).await), (0, 0));
}
