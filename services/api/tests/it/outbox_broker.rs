//! Relays on a real Postgres and a real nats-server, with faults.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use api::config::OutboxConfig;
use api::outbox::{self, Publishers, Relay};
use api_port::sync_v1::{SyncAthlete, SyncReason};
use async_trait::async_trait;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_nats::{Connection, Event as _, Outgoing, PublishOutgoing, Published, Publisher};
use uuid::Uuid;

use crate::stream::{Broker, Witness};
use crate::support::{database, eventually, listeners};

/// The real publisher, which is slower now and then, counts, and can be made to keep an answer to
/// itself.
struct Counting {
    publisher: Publisher<SyncAthlete>,
    published: AtomicUsize,
    duplicates: AtomicUsize,
    /// Answers that get through; the next is never given.
    answers: usize,
}

impl Counting {
    fn new(connection: &Connection) -> Arc<Self> {
        Self::with(connection, usize::MAX)
    }

    fn with(connection: &Connection, answers: usize) -> Arc<Self> {
        Arc::new(Self {
            publisher: Publisher::new(connection).giving_up_after(Relay::GIVE_UP_AFTER),
            published: AtomicUsize::new(0),
            duplicates: AtomicUsize::new(0),
            answers,
        })
    }
}

#[async_trait]
impl PublishOutgoing for Counting {
    fn event(&self) -> &'static str {
        SyncAthlete::FULL_NAME
    }

    async fn publish_outgoing(&self, outgoing: &Outgoing) -> Result<Published, Error> {
        // As on a network: what is begun first is not there first.
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..5))).await;
        let published = self.publisher.publish_outgoing(outgoing).await?;
        self.duplicates.fetch_add(usize::from(published.duplicate), Ordering::SeqCst);
        if self.published.fetch_add(1, Ordering::SeqCst) >= self.answers {
            std::future::pending::<()>().await;
        }
        Ok(published)
    }
}

fn outgoing(athlete: u128, number: u32) -> Outgoing {
    let job = SyncAthlete {
        athlete_id: Uuid::from_u128(athlete).to_string(),
        request_id: format!("{number:06}"),
        reason: SyncReason::Consent.into(),
        request_time: None,
        full: false,
    };
    Outgoing::from_event(&job).unwrap()
}

async fn promise(pool: &PgPool, athlete: u128, number: u32) {
    let mut transaction = pool.begin().await.unwrap();
    outbox::append(&mut transaction, &outgoing(athlete, number)).await.unwrap();
    transaction.commit().await.unwrap();
}

/// A relay that runs.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(pool: &PgPool, publisher: &Arc<Counting>, batch: u32, poll_seconds: u64) -> Self {
        let config = OutboxConfig { batch, poll_seconds, ..OutboxConfig::default() };
        let relay = Relay::new(pool.clone(), Publishers::default().with(publisher.clone()), config);
        let stop = CancellationToken::new();
        let token = stop.clone();
        Self { stop, task: tokio::spawn(async move { relay.run(token).await }) }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.task).await.unwrap().unwrap();
    }

    /// Ends it as a killed process ends: nothing is written down.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

async fn unpublished(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM outbox WHERE published_at IS NULL")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// All message ids that were promised, in alphabetical order.
async fn promised(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(r#"SELECT message_id FROM outbox ORDER BY message_id COLLATE "C""#)
        .fetch_all(pool)
        .await
        .unwrap()
}

/// Waits until the stream holds so many messages, and asserts that these are the promised ones, each
/// once and in the order of promise for each athlete.
async fn assert_exact(pool: &PgPool, connection: &Connection, witness: &Witness, count: usize) {
    eventually("the stream has all", async || witness.count() >= count).await;
    eventually("all are marked", async || unpublished(pool).await == 0).await;
    let info = connection.stream_info(SyncAthlete::STREAM).await.unwrap();
    assert_eq!(info.messages, count as u64, "each message once");
    assert_eq!(witness.sorted_ids(), promised(pool).await);
    let mut last = BTreeMap::new();
    for stored in witness.stored() {
        let before = last.insert(stored.athlete_id.clone(), stored.request_id.clone());
        assert!(before.as_ref() < Some(&stored.request_id), "{stored:?} after {before:?}");
    }
}

const ATHLETES: u32 = 20;
const EACH: u32 = 60;
const ALL: usize = (ATHLETES * EACH) as usize;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_publish_each_message_once_and_in_order() {
    let (pool, broker) = (database().await, Broker::start().await);
    let connection = broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    let publishers = [Counting::new(&connection), Counting::new(&connection)];
    // Small batches: the relays meet often.
    let relays = publishers.each_ref().map(|publisher| Running::start(&pool, publisher, 16, 1));
    let writers: Vec<_> = (0..u128::from(ATHLETES))
        .map(|athlete| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for number in 0..EACH {
                    promise(&pool, athlete, number).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_exact(&pool, &connection, &witness, ALL).await;
    for relay in relays {
        relay.stop().await;
    }
    // Not even the broker saw a message twice, and both had a part in it.
    let count = |number: fn(&Counting) -> &AtomicUsize| {
        publishers.each_ref().map(|publisher| number(publisher).load(Ordering::SeqCst))
    };
    let published = count(|publisher| &publisher.published);
    assert_eq!(published.iter().sum::<usize>(), ALL);
    assert!(published.iter().all(|number| *number > 0), "{published:?}");
    assert_eq!(count(|publisher| &publisher.duplicates), [0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_killed_between_publish_and_mark_stores_nothing_twice() {
    let (pool, broker) = (database().await, Broker::start().await);
    let connection = broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    for number in 0..40 {
        promise(&pool, u128::from(number % 4), number).await;
    }
    let dying = Counting::with(&connection, 17);
    let relay = Running::start(&pool, &dying, 200, 3600);
    eventually("messages are out and not marked", async || {
        dying.published.load(Ordering::SeqCst) > 17
    })
    .await;
    relay.kill().await;
    assert_eq!(unpublished(&pool).await, 40, "nothing was written down");
    let begun = Instant::now();
    let heir = Counting::new(&connection);
    let relay = Running::start(&pool, &heir, 200, 3600);
    assert_exact(&pool, &connection, &witness, 40).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(heir.duplicates.load(Ordering::SeqCst) >= 18, "they were published again");
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_killed_again_and_again_lose_nothing_and_keep_the_order() {
    let (pool, broker) = (database().await, Broker::start().await);
    let connection = broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    let writer = {
        let pool = pool.clone();
        tokio::spawn(async move {
            for number in 0..EACH {
                for athlete in 0..u128::from(ATHLETES) {
                    promise(&pool, athlete, number).await;
                }
            }
        })
    };
    let mut killed = 0;
    while !writer.is_finished() {
        let publisher = Counting::with(&connection, 50);
        let relay = Running::start(&pool, &publisher, 16, 1);
        eventually("it hangs, or all is promised", async || {
            publisher.published.load(Ordering::SeqCst) > 50 || writer.is_finished()
        })
        .await;
        relay.kill().await;
        killed += 1;
    }
    writer.await.unwrap();
    assert!(killed > 5, "only {killed} were killed");
    let relay = Running::start(&pool, &Counting::new(&connection), 200, 1);
    assert_exact(&pool, &connection, &witness, ALL).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_was_down_gets_everything_within_ten_seconds() {
    let (pool, mut broker) = (database().await, Broker::start().await);
    let connection = broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    let publisher = Counting::new(&connection);
    let relay = Running::start(&pool, &publisher, 200, 5);
    promise(&pool, 0, 0).await;
    eventually("the first is out", async || witness.count() == 1).await;
    broker.crash().await;
    for number in 1..40 {
        promise(&pool, u128::from(number % 4), number).await;
    }
    // Long enough for attempts to have failed, and to have been put off.
    eventually("an attempt has failed twice", async || {
        let attempts: Option<i32> =
            sqlx::query_scalar("SELECT max(attempts) FROM outbox").fetch_one(&pool).await.unwrap();
        attempts >= Some(2)
    })
    .await;
    assert_eq!(unpublished(&pool).await, 39);
    broker.start_again().await;
    let begun = Instant::now();
    assert_exact(&pool, &connection, &witness, 40).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    relay.stop().await;
}

/// Promises a message without the notification, as one that was lost.
async fn promise_silently(pool: &PgPool, athlete: u128, number: u32) {
    let outgoing = outgoing(athlete, number);
    sqlx::query(
        "INSERT INTO outbox (id, subject, message_id, event, payload) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(Uuid::now_v7())
    .bind(outgoing.subject)
    .bind(outgoing.message_id)
    .bind(outgoing.event)
    .bind(outgoing.payload.as_ref())
    .execute(pool)
    .await
    .unwrap();
}

/// Ends the connections that listen, and returns how many there were.
async fn end_listeners(pool: &PgPool) -> usize {
    let ended: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    ended.into_iter().filter(|ended| *ended).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_that_is_lost_is_made_up_for_by_polling() {
    let (pool, broker) = (database().await, Broker::start().await);
    let connection = broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    let relay = Running::start(&pool, &Counting::new(&connection), 200, 1);
    eventually("it listens", async || end_listeners(&pool).await == 1).await;
    for number in 0..20 {
        promise_silently(&pool, u128::from(number % 4), number).await;
        // Whoever listens again is not told either.
        end_listeners(&pool).await;
    }
    let begun = Instant::now();
    assert_exact(&pool, &connection, &witness, 20).await;
    // By now nothing but the interval wakes it.
    eventually("it listens again", async || listeners(&pool).await == 1).await;
    promise_silently(&pool, 1, 100).await;
    assert_exact(&pool, &connection, &witness, 21).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_whose_connection_is_ended_catches_up_without_the_interval() {
    let (pool, broker) = (database().await, Broker::start().await);
    let connection = broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    // It would take an hour to notice anything without listening.
    let relay = Running::start(&pool, &Counting::new(&connection), 200, 3600);
    for number in 0..5 {
        eventually("it listens", async || end_listeners(&pool).await == 1).await;
        promise(&pool, 7, number).await;
        eventually("it is out", async || witness.count() > number as usize).await;
    }
    assert_exact(&pool, &connection, &witness, 5).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_stopped_marks_what_it_has_published() {
    let (pool, broker) = (database().await, Broker::start().await);
    let connection = broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    for round in 0..10 {
        for number in 0..30 {
            promise(&pool, u128::from(number % 3), round * 100 + number).await;
        }
        let publisher = Counting::new(&connection);
        let relay = Running::start(&pool, &publisher, 200, 3600);
        eventually("it is in the midst of it", async || {
            publisher.published.load(Ordering::SeqCst) > 0
        })
        .await;
        relay.stop().await;
        assert_eq!(publisher.duplicates.load(Ordering::SeqCst), 0, "published before, not marked");
    }
    let relay = Running::start(&pool, &Counting::new(&connection), 200, 3600);
    assert_exact(&pool, &connection, &witness, 300).await;
    relay.stop().await;
}
