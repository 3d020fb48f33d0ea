//! The api's process, killed: what it accepted is in the stream within ten seconds of its restart.

use std::time::{Duration, Instant};

use api_port::sync_v1::SyncAthlete;
use futures::StreamExt as _;
use testbed::Signal;
use treaty_nats::Event as _;

use crate::process::{World, ended, stop};
use crate::stream::Witness;
use crate::support::eventually;

/// The bar: from the start of the process to the last message in the stream.
const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_before_the_process_died_is_published_after_its_restart() {
    const ATHLETES: u64 = 20;
    let mut world = World::new(ATHLETES).await;
    let process = world.launch().await;
    let mut pages = Vec::new();
    for number in 0..ATHLETES {
        pages.push(world.register(number).await.unwrap());
    }
    // Between commit and publish: without a broker no message gets further.
    world.broker.crash().await;
    for page in &pages {
        world.consent(page).await.unwrap();
    }
    process.signal(Signal::Kill).unwrap();
    ended(process).await;
    let promised = world.promised().await;
    assert_eq!(promised.len(), 20);
    world.broker.start_again().await;
    let connection = world.broker.connect().await;
    let before = connection.stream_info(SyncAthlete::STREAM).await.unwrap();
    assert_eq!(before.messages, 0, "nothing was published before the crash");
    let (witness, _reading) = Witness::start(&connection);
    let restarted = Instant::now();
    let process = world.launch().await;
    eventually("all are in the stream", async || witness.count() >= 20).await;
    let took = restarted.elapsed();
    assert!(took < WITHIN, "{took:?}");
    assert_eq!(witness.sorted_ids(), promised);
    println!("20 of 20 in the stream {took:?} after the start of the process");
    stop(process).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_under_load_again_and_again_loses_nothing_that_it_accepted() {
    const ATHLETES: u64 = 60;
    let world = World::new(ATHLETES).await;
    let mut process = world.launch().await;
    let connection = world.broker.connect().await;
    let (witness, _reading) = Witness::start(&connection);
    let (mut accepted, mut slowest) = (0, Duration::ZERO);
    let mut next = 0;
    for _ in 0..6 {
        let mut pages = Vec::new();
        for _ in 0..ATHLETES / 6 {
            pages.push(world.register(next).await.unwrap());
            next += 1;
        }
        // All at once, and the process dies when some have their answer and some have not.
        let consents: futures::stream::FuturesUnordered<_> =
            pages.iter().map(|page| world.consent(page)).collect();
        let mut answers = consents.enumerate();
        while let Some((nth, answer)) = answers.next().await {
            accepted += usize::from(answer.is_ok());
            if nth == 3 {
                process.signal(Signal::Kill).unwrap();
            }
        }
        ended(process).await;
        let restarted = Instant::now();
        process = world.launch().await;
        let promised = world.promised().await;
        eventually("all are in the stream", async || witness.count() >= promised.len()).await;
        slowest = slowest.max(restarted.elapsed());
        assert_eq!(witness.sorted_ids(), promised);
    }
    let promised = world.promised().await.len();
    assert!(accepted >= 24 && promised >= accepted, "{accepted} accepted, {promised} promised");
    assert!(slowest < WITHIN, "{slowest:?}");
    let stored = connection.stream_info(SyncAthlete::STREAM).await.unwrap();
    assert_eq!(stored.messages, promised as u64, "each once");
    println!("6 kills: {accepted} accepted, {promised} committed, all in the stream; {slowest:?}");
    stop(process).await;
}
