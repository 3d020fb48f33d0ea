use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use api::config::OutboxConfig;
use api::outbox::{self, Publishers, Relay, RelayReport};
use async_trait::async_trait;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error};
use treaty_nats::{Outgoing, PublishOutgoing, Published};

use crate::support::{connect, database, eventually, fresh_url, listeners};

/// A broker that remembers, and that can be away or frozen.
#[derive(Default)]
struct Broker {
    away: AtomicBool,
    /// Takes messages and never answers.
    frozen: AtomicBool,
    messages: Mutex<Vec<Outgoing>>,
}

#[async_trait]
impl PublishOutgoing for Broker {
    fn event(&self) -> &'static str {
        "test.v1.Happened"
    }

    async fn publish_outgoing(&self, outgoing: &Outgoing) -> Result<Published, Error> {
        if self.frozen.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.away.load(Ordering::SeqCst) {
            return Err(Error::new(Code::Unavailable, "the broker is away"));
        }
        self.messages.lock().unwrap().push(outgoing.clone());
        Ok(Published { stream_sequence: 1, duplicate: false })
    }
}

impl Broker {
    fn ids(&self) -> Vec<String> {
        let messages = self.messages.lock().unwrap();
        messages.iter().map(|message| message.message_id.clone().unwrap()).collect()
    }
}

fn message(id: &str) -> Outgoing {
    message_of("here", id)
}

fn message_of(place: &str, id: &str) -> Outgoing {
    Outgoing {
        subject: format!("happened.{place}"),
        message_id: Some(id.to_owned()),
        event: "test.v1.Happened".to_owned(),
        payload: b"payload".as_slice().into(),
        traceparent: None,
    }
}

async fn promise(pool: &PgPool, id: &str) {
    promise_all(pool, &[message(id)]).await;
}

async fn promise_all(pool: &PgPool, messages: &[Outgoing]) {
    let mut transaction = pool.begin().await.unwrap();
    for message in messages {
        outbox::append(&mut transaction, message).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

fn relay(pool: &PgPool, broker: &Arc<Broker>) -> Relay {
    // It would take an hour to notice anything without a notification.
    let config = OutboxConfig { poll_seconds: 3600, ..OutboxConfig::default() };
    Relay::new(pool.clone(), Publishers::default().with(broker.clone()), config)
}

#[tokio::test]
async fn what_is_not_committed_is_not_published() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    let mut transaction = pool.begin().await.unwrap();
    outbox::append(&mut transaction, &message("never")).await.unwrap();
    transaction.rollback().await.unwrap();
    promise(&pool, "once").await;
    let relay = relay(&pool, &broker);
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport { published: 1, failed: 0 });
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport::default());
    assert_eq!(*broker.messages.lock().unwrap(), [message("once")]);
}

#[tokio::test]
async fn a_running_relay_is_woken_at_once() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    promise(&pool, "before").await;
    let (relay, shutdown) = (relay(&pool, &broker), CancellationToken::new());
    let stop = shutdown.clone();
    let running = tokio::spawn(async move { relay.run(stop).await });
    eventually("the first is out", async || broker.ids() == ["before"]).await;
    // Listening is known to the server once the connection has said so.
    eventually("it listens", async || listeners(&pool).await > 0).await;
    promise(&pool, "after").await;
    eventually("the second is out", async || broker.ids() == ["before", "after"]).await;
    shutdown.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn relays_side_by_side_publish_each_message_once() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    for number in 0..300 {
        promise(&pool, &format!("m{number:03}")).await;
    }
    let relays = (0..4).map(|_| {
        let relay = relay(&pool, &broker);
        tokio::spawn(async move { while relay.relay_batch().await.unwrap().published > 0 {} })
    });
    for relay in relays.collect::<Vec<_>>() {
        relay.await.unwrap();
    }
    // A relay that found every row held by another has ended early: finish what is left.
    while relay(&pool, &broker).relay_batch().await.unwrap().published > 0 {}
    let mut ids = broker.ids();
    ids.sort();
    assert_eq!(ids, (0..300).map(|number| format!("m{number:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_broker_that_is_away_gets_the_message_later() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    broker.away.store(true, Ordering::SeqCst);
    promise(&pool, "late").await;
    let relay = relay(&pool, &broker);
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport { published: 0, failed: 1 });
    let (attempts, error): (i32, String) =
        sqlx::query_as("SELECT attempts, last_error FROM outbox").fetch_one(&pool).await.unwrap();
    assert_eq!((attempts, error.as_str()), (1, "UNAVAILABLE: the broker is away"));
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport::default(), "not before its time");
    broker.away.store(false, Ordering::SeqCst);
    sqlx::query("UPDATE outbox SET next_attempt_at = now()").execute(&pool).await.unwrap();
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport { published: 1, failed: 0 });
    assert_eq!(broker.ids(), ["late"]);
}

#[tokio::test]
async fn a_message_that_nobody_publishes_does_not_hold_up_the_others() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    let strange =
        Outgoing { event: "test.v1.Strange".to_owned(), ..message_of("there", "strange") };
    promise_all(&pool, &[strange]).await;
    promise(&pool, "good").await;
    let report = relay(&pool, &broker).relay_batch().await.unwrap();
    assert_eq!(report, RelayReport { published: 1, failed: 1 });
    assert_eq!(broker.ids(), ["good"]);
}

#[tokio::test]
async fn a_message_that_fails_holds_up_its_subject_and_no_other() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    let strange = Outgoing { event: "test.v1.Strange".to_owned(), ..message_of("a", "a2") };
    let all = [message_of("a", "a1"), strange, message_of("a", "a3"), message_of("b", "b1")];
    promise_all(&pool, &all).await;
    let relay = relay(&pool, &broker);
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport { published: 2, failed: 1 });
    promise_all(&pool, &[message_of("a", "a4"), message_of("b", "b2")]).await;
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport { published: 1, failed: 0 });
    // A person decides about the message in the way, and the rest follows.
    sqlx::query("DELETE FROM outbox WHERE message_id = 'a2'").execute(&pool).await.unwrap();
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport { published: 2, failed: 0 });
    let ids = broker.ids();
    let of = |place| {
        ids.iter().map(String::as_str).filter(|id| id.starts_with(place)).collect::<Vec<_>>()
    };
    assert_eq!((of('a'), of('b')), (vec!["a1", "a3", "a4"], vec!["b1", "b2"]));
}

#[tokio::test]
async fn transactions_with_one_subject_commit_in_the_order_of_their_messages() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    let mut slow = pool.begin().await.unwrap();
    outbox::append(&mut slow, &message("first")).await.unwrap();
    let (other, later) = (pool.clone(), message("second"));
    let second = tokio::spawn(async move { promise_all(&other, &[later]).await });
    promise_all(&pool, &[message_of("elsewhere", "free")]).await;
    eventually("the second waits for the first", async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database \
             WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        waiting == 1
    })
    .await;
    let relay = relay(&pool, &broker);
    relay.relay_batch().await.unwrap();
    assert_eq!(broker.ids(), ["free"], "another subject waits for nobody");
    slow.commit().await.unwrap();
    second.await.unwrap();
    relay.relay_batch().await.unwrap();
    assert_eq!(broker.ids(), ["free", "first", "second"]);
}

#[tokio::test]
async fn a_long_queue_of_one_subject_leaves_room_for_the_others() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    let long: Vec<_> = (0..500).map(|number| message_of("busy", &format!("l{number}"))).collect();
    promise_all(&pool, &long).await;
    promise_all(&pool, &[message_of("calm", "c")]).await;
    let report = relay(&pool, &broker).relay_batch().await.unwrap();
    assert_eq!(report, RelayReport { published: 101, failed: 0 }, "half a batch, and the other");
    assert!(broker.ids().contains(&"c".to_owned()));
}

#[tokio::test]
async fn only_what_was_published_long_ago_is_pruned() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    promise_all(&pool, &[message("old"), message("recent")]).await;
    relay(&pool, &broker).relay_batch().await.unwrap();
    broker.away.store(true, Ordering::SeqCst);
    promise_all(&pool, &[message_of("x", "failed"), message_of("y", "new")]).await;
    relay(&pool, &broker).relay_batch().await.unwrap();
    // Everything was promised long ago, and all that is published but one message was so then.
    sqlx::query(
        "UPDATE outbox SET created_at = now() - interval '30 days', \
             next_attempt_at = now() - interval '30 days', \
             published_at = CASE WHEN message_id = 'old' THEN now() - interval '8 days' \
                                 ELSE published_at END",
    )
    .execute(&pool)
    .await
    .unwrap();
    let relay = relay(&pool, &broker);
    assert_eq!(relay.prune().await.unwrap(), 1);
    assert_eq!(relay.prune().await.unwrap(), 0);
    let left: Vec<String> = sqlx::query_scalar("SELECT message_id FROM outbox ORDER BY message_id")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(left, ["failed", "new", "recent"]);
}

#[tokio::test]
async fn a_running_relay_prunes_whatever_else_it_does() {
    let pool = database().await;
    let broker = Arc::new(Broker::default());
    promise(&pool, "old").await;
    relay(&pool, &broker).relay_batch().await.unwrap();
    sqlx::query("UPDATE outbox SET published_at = now() - interval '8 days'")
        .execute(&pool)
        .await
        .unwrap();
    let (relay, shutdown) = (relay(&pool, &broker), CancellationToken::new());
    let stop = shutdown.clone();
    let running = tokio::spawn(async move { relay.run(stop).await });
    eventually("the old row is gone", async || {
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&pool).await.unwrap();
        rows == 0
    })
    .await;
    shutdown.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_relay_that_hangs_loses_its_subjects_to_the_others() {
    let pool = database().await;
    let (hung, sound) = (Arc::new(Broker::default()), Arc::new(Broker::default()));
    hung.frozen.store(true, Ordering::SeqCst);
    promise_all(&pool, &[message("m1"), message("m2")]).await;
    let stuck = relay(&pool, &hung);
    // Again until it hangs: the look below may hold the rows just when it comes for them.
    let stuck = tokio::spawn(async move { while stuck.relay_batch().await.is_ok() {} });
    eventually("the rows are held", async || {
        let free: Vec<String> =
            sqlx::query_scalar("SELECT message_id FROM outbox FOR UPDATE SKIP LOCKED")
                .fetch_all(&pool)
                .await
                .unwrap();
        free.len() == 1
    })
    .await;
    let begun = Instant::now();
    let relay = relay(&pool, &sound);
    assert_eq!(relay.relay_batch().await.unwrap(), RelayReport::default(), "they are held");
    eventually("the other has them", async || {
        relay.relay_batch().await.unwrap();
        sound.ids() == ["m1", "m2"]
    })
    .await;
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    stuck.abort();
}

#[tokio::test]
async fn messages_that_wait_during_the_upgrade_keep_their_order() {
    let pool = connect(&fresh_url().await).await;
    for before in [
        include_str!("../../../../migrations/0001_athletes.sql"),
        include_str!("../../../../migrations/0002_activities.sql"),
        include_str!("../../../../migrations/0003_outbox.sql"),
        include_str!("../../../../migrations/0004_sync_runs.sql"),
    ] {
        sqlx::raw_sql(before).execute(&pool).await.unwrap();
    }
    // On the disk they lie the other way round.
    sqlx::raw_sql(
        "INSERT INTO outbox (id, subject, message_id, event, payload, published_at) \
         SELECT gen_random_uuid(), 's', 'old' || n, 'test.v1.Happened', '', now() \
             FROM generate_series(1, 50) AS n; \
         INSERT INTO outbox (id, subject, message_id, event, payload) \
         SELECT lpad(n::text, 32, '0')::uuid, 'happened.here', n, 'test.v1.Happened', '' \
             FROM generate_series(9, 1, -1) AS n",
    )
    .execute(&pool)
    .await
    .unwrap();
    for upgrade in [
        include_str!("../../../../migrations/0005_outbox_order.sql"),
        include_str!("../../../../migrations/0010_outbox_trace.sql"),
    ] {
        sqlx::raw_sql(upgrade).execute(&pool).await.unwrap();
    }
    promise(&pool, "10").await;
    let broker = Arc::new(Broker::default());
    relay(&pool, &broker).relay_batch().await.unwrap();
    assert_eq!(broker.ids(), (1..=10).map(|n| n.to_string()).collect::<Vec<_>>());
}
