//! One athlete of many for whom Strava is slow or broken: the others hardly notice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use consumer::config::{Config, StravaConfig};
use consumer_port::SYNC_ATHLETE_HANDLER;
use serde_json::{Value, json};

use crate::jobs::{World, name};
use crate::simulator::digest;
use crate::wait::{until, until_within};

/// Athletes. Each trouble meets another one of them.
const ATHLETES: u64 = 32;

/// How long it takes from the publishing of all jobs at once until the first activities of each
/// athlete behind the troubled one are in: 99 of 100, and the median. Returns when their syncs have
/// ended; those before had their troubles in an earlier run, and are left alone.
async fn others(world: &World, run: &str, troubled: u64) -> (Duration, Duration) {
    let begun = Instant::now();
    for athlete in troubled..ATHLETES {
        world.ask_again_for(athlete, run).await;
    }
    let first = |athlete| world.api.first_batch(&name(athlete), begun);
    let others = || troubled + 1..ATHLETES;
    until("the others to be served", async || others().all(|athlete| first(athlete).is_some()))
        .await;
    until("the others to have ended", async || {
        let ended = world.api.ended();
        let ended = ended.iter().filter(|end| end.request_id == run);
        let ended: BTreeSet<_> = ended.map(|end| end.athlete_id.clone()).collect();
        others().all(|athlete| ended.contains(&name(athlete)))
    })
    .await;
    let mut took: Vec<_> =
        others().filter_map(first).map(|batch| batch.duration_since(begun)).collect();
    took.sort_unstable();
    (took[took.len() * 99 / 100], took[took.len() / 2])
}

async fn idle(world: &World) {
    let idle = async || world.idle(&SYNC_ATHLETE_HANDLER).await;
    until_within(Duration::from_secs(60), "all jobs to be done", idle).await;
}

fn troubles() -> Vec<(&'static str, Value)> {
    vec![
        (
            "first byte after a minute",
            json!({ "slow_first_byte_rate": 1.0, "slow_first_byte_ms": 60_000 }),
        ),
        ("a byte a second", json!({ "drip_rate": 1.0, "drip_ms": 1_000 })),
        ("a storm of 5xx", json!({ "error_rate": 1.0, "error_status": 500 })),
        ("a web page with status 200", json!({ "html_rate": 1.0 })),
        ("half bodies", json!({ "truncate_rate": 1.0 })),
        ("connections that break", json!({ "drop_rate": 1.0 })),
        ("shuffled pages", json!({ "shuffle_rate": 1.0 })),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_or_hostile_strava_for_one_athlete_does_not_double_the_p99_of_the_others() {
    let world = World::new(ATHLETES).await;
    let config = world.config();
    let strava = StravaConfig { read_timeout_seconds: 2, timeout_seconds: 4, ..config.strava };
    let stats = world.consumer_with(Config { strava, ..config }).await;
    others(&world, "warm", 0).await;
    idle(&world).await;
    let mut calm: Vec<_> = Vec::new();
    for run in 0..3 {
        calm.push(others(&world, &format!("calm-{run}"), 0).await.0);
        idle(&world).await;
    }
    calm.sort_unstable();
    // A tenth of a second of grace: the runs are short, and the machine is shared.
    let limit = calm[1] * 2 + Duration::from_millis(100);
    println!("calm: p99 {:?}", calm[1]);
    for ((trouble, mut plan), troubled) in troubles().into_iter().zip(0..) {
        plan["athletes"] = json!([troubled]);
        world.strava.faults(plan).await;
        let (p99, median) = others(&world, trouble, troubled).await;
        println!("{trouble}: p99 {p99:?}, median {median:?}");
        assert!(p99 <= limit, "{trouble}: {p99:?}, and {calm:?} without");
    }
    // When Strava is well again, so are the athletes whose jobs were tried again.
    world.strava.faults(json!({})).await;
    idle(&world).await;
    assert_eq!(stats.snapshot().dead_lettered, 0);
    assert!(stats.snapshot().retried > 0);
    let digests = world.strava.digests().await;
    for athlete in 0..ATHLETES {
        let kept = world.api.kept(&name(athlete));
        assert_eq!(digest(&kept), digests[usize::try_from(athlete).unwrap()], "{athlete}");
    }
    world.end().await;
}
