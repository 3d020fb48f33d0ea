//! From the commit to a subscriber of the subject.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use api_port::sync_v1::SyncAthlete;
use futures::StreamExt as _;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use treaty_nats::{Connection, Publisher};

use crate::{plain, relay, rows};

/// Messages that are measured, one after the other.
const MESSAGES: u32 = 500;

/// How often the loop looks, having no notifications.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A quiet outbox: each message is committed when the one before has arrived.
pub(crate) async fn measure(pool: &PgPool, connection: &Connection, url: &str) -> Result<()> {
    println!("\nfrom commit to subscriber, {MESSAGES} messages one after the other\n");
    println!("| | p50 ms | p99 ms |\n| --- | --- | --- |");
    let stop = CancellationToken::new();
    let publisher = Publisher::<SyncAthlete>::new(connection);
    let looking = async {
        while !stop.is_cancelled() {
            if !plain::publish_one(pool, &publisher).await? {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        anyhow::Ok(())
    };
    let (looked, told) = tokio::join!(looking, ending(&stop, arrivals(pool, url)));
    looked?;
    tell("a loop that looks every 100 ms", told?);
    let stop = CancellationToken::new();
    let relaying = relay(pool, connection);
    let (_, told) = tokio::join!(relaying.run(stop.clone()), ending(&stop, arrivals(pool, url)));
    tell("one relay", told?);
    Ok(())
}

/// Ends the others when the measurement is over, however it ends.
async fn ending<T>(stop: &CancellationToken, measuring: impl Future<Output = T>) -> T {
    let told = measuring.await;
    stop.cancel();
    told
}

async fn arrivals(pool: &PgPool, url: &str) -> Result<Vec<Duration>> {
    let client = async_nats::connect(url).await?;
    let mut subscriber = client.subscribe("athlete.sync.*").await?;
    client.flush().await?;
    rows::fill(pool, 0, 1).await?;
    let mut times = Vec::new();
    for number in 0..MESSAGES {
        let outgoing = rows::message(number, MESSAGES)?;
        let mut transaction = pool.begin().await?;
        api::outbox::append(&mut transaction, &outgoing).await?;
        transaction.commit().await?;
        let committed = Instant::now();
        let arrived = tokio::time::timeout(Duration::from_secs(10), subscriber.next()).await;
        arrived.context("a message did not arrive")?.context("the subscription ended")?;
        times.push(committed.elapsed());
    }
    Ok(times)
}

fn tell(who: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!("| {who} | {:.1} | {:.1} |", at(50), at(99));
}
