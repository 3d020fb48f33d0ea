use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use api::config::OutboxConfig;
use api::outbox::{self, Publishers, Relay, RelayReport};
use async_trait::async_trait;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error};
use treaty_nats::{Outgoing, PublishOutgoing, Published};

use crate::support::{database, eventually};

/// A broker that remembers, and that can be away.
#[derive(Default)]
struct Broker {
    away: AtomicBool,
    messages: Mutex<Vec<Outgoing>>,
}

#[async_trait]
impl PublishOutgoing for Broker {
    fn event(&self) -> &'static str {
        "test.v1.Happened"
    }

    async fn publish_outgoing(&self, outgoing: &Outgoing) -> Result<Published, Error> {
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
    Outgoing {
        subject: "happened.here".to_owned(),
        message_id: Some(id.to_owned()),
        event: "test.v1.Happened".to_owned(),
        payload: b"payload".as_slice().into(),
    }
}

async fn promise(pool: &PgPool, id: &str) {
    let mut transaction = pool.begin().await.unwrap();
    outbox::append(&mut transaction, &message(id)).await.unwrap();
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
    eventually("it listens", async || {
        let listening: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        listening > 0
    })
    .await;
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
    let mut connection = pool.acquire().await.unwrap();
    let strange = Outgoing { event: "test.v1.Strange".to_owned(), ..message("strange") };
    outbox::append(&mut connection, &strange).await.unwrap();
    drop(connection);
    promise(&pool, "good").await;
    let report = relay(&pool, &broker).relay_batch().await.unwrap();
    assert_eq!(report, RelayReport { published: 1, failed: 1 });
    assert_eq!(broker.ids(), ["good"]);
}
