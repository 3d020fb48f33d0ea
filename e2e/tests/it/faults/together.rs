//! Many who want the same athlete synced at once: the schedule, a user, a second consent.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use stack::Options;

use super::{Plan, System, jobs, strava};

/// Jobs of one athlete that come at once.
const JOBS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn syncs_of_one_athlete_that_are_wanted_at_once_are_one() -> Result<()> {
    let plan = Plan::of("together");
    let options = Options {
        athletes: 2,
        activities_per_athlete: 450,
        dispatch_every: Duration::from_secs(24 * 3600),
        seed: plan.seed,
        ..Options::default()
    };
    let system = System::start(plan, &options).await?;
    // Slow enough that all come while the first is under way.
    strava::faults(&system.stack, &json!({"latency_ms": 400})).await?;
    let athletes = system.join(0..2).await?;
    system.settle().await?;
    let rounds = system.plan.pick(2, 50);
    let mut accepted = Vec::new();
    for round in 0..rounds {
        let before = strava::pages(&system.stack).await?;
        for number in 0..JOBS {
            let request = format!("together-{round}-{number}");
            jobs::publish_surely(&system.broker, &athletes[0], &request).await?;
            accepted.push((athletes[0].clone(), request));
        }
        // Who consents again asks for a sync, too.
        ensure!(system.crowd.join(0).await? == athletes[0], "another athlete");
        system.settle().await?;
        let pages = strava::pages(&system.stack).await? - before;
        // Three pages and the end of the list; the sync under way, the one that the others wanted,
        // and a third, which the consent may come late for.
        ensure!(pages <= 3 * 4, "round {round}: {pages} pages for one athlete");
        system.plan.say(&format!("round {round}: {JOBS} jobs and a consent took {pages} pages"));
    }
    let proof = system.prove(&athletes, &accepted).await?;
    assert_eq!(proof.activities, options.activities());
    system.plan.say(&format!(
        "{rounds} rounds of {JOBS} jobs and a consent at once: rows exact, {} redelivered",
        proof.redelivered
    ));
    system.stop().await
}
