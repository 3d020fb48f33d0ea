//! How replicas of one deployable share the work.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::sync::Semaphore;
use treaty_nats::{Connection, Event as _, HandlerSpec, Publish as _};

use crate::support::{Running, eventually, job, run, shared, spec};

const REPLICAS: u64 = 3;

/// Messages of each of the two halves of the test.
const HALF: u64 = 600;

/// How far from an equal share a replica may be: a fifth of it.
const TOLERANCE: u64 = 2 * HALF / REPLICAS / 5;

job!(Job, "sharing");

async fn publish(connection: &Connection, ids: std::ops::Range<u64>) {
    let publisher = connection.publisher::<Job>();
    let publishing = stream::iter(ids).map(|id| {
        let publisher = publisher.clone();
        async move { publisher.publish(&Job::new(id)).await.unwrap() }
    });
    publishing.buffer_unordered(64).for_each(|_| async {}).await;
}

/// A backlog from before, and then what comes while all are at it: a replica that asks
/// for much at once must not leave the others without, nor starve itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_have_equal_shares() {
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    publish(&connection, 0..HALF).await;
    let spec = HandlerSpec { concurrency: 8, ..spec::<Job>("sharing") };
    let mut replicas: Vec<Running> = Vec::new();
    // Shares are of what is done while all are there: on a busy machine the first would
    // otherwise be far ahead before the last has connected.
    let all_there = Arc::new(Semaphore::new(0));
    for _ in 0..REPLICAS {
        // Each is a process of its own, with its own connection.
        let all_there = Arc::clone(&all_there);
        replicas.push(run(&shared().await, spec, move |_, _: Job| {
            let all_there = Arc::clone(&all_there);
            async move {
                let _there = all_there.acquire().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(())
            }
        }));
    }
    let begun = || replicas.iter().all(|replica| replica.stats.snapshot().delivered > 0);
    eventually("all replicas", || async { begun() }).await;
    all_there.add_permits(1_000);
    publish(&connection, HALF..2 * HALF).await;
    let shares = || replicas.iter().map(|replica| replica.stats.snapshot().acked);
    eventually("all messages", || async { shares().sum::<u64>() == 2 * HALF }).await;
    let shares: Vec<u64> = shares().collect();
    let equal = 2 * HALF / REPLICAS;
    assert!(shares.iter().all(|share| share.abs_diff(equal) <= TOLERANCE), "{shares:?}");
    for replica in replicas {
        assert_eq!(replica.stats.snapshot().redelivered, 0);
        replica.stop().await;
    }
}
