//! A Strava that fails, lies and dawdles, while everybody else goes on.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use stack::Options;

use super::{Callers, Manner, Plan, Pump, System, strava};

/// How long a read of the api may take meanwhile, on a busy machine.
const UNDISTURBED: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upstream_that_fails_in_every_way_ends_in_exact_rows_and_holds_up_nobody() -> Result<()>
{
    let plan = Plan::of("upstream");
    let options = Options {
        athletes: plan.pick(12, 100),
        activities_per_athlete: 230,
        dispatch_every: Duration::from_secs(24 * 3600),
        seed: plan.seed,
        ..Options::default()
    };
    let system = System::start(plan, &options).await?;
    let faults = system.plan.pick(40, 2_000);
    // A share of all requests, until so many have met one.
    let hostile = json!({
        "times": faults, "seed": system.plan.seed % 1_000_000, "latency_jitter_ms": 30,
        "error_rate": 0.08, "malformed_body_rate": 0.04, "html_rate": 0.04, "drop_rate": 0.04,
        "truncate_rate": 0.04, "slow_first_byte_rate": 0.04, "slow_first_byte_ms": 3_000,
    });
    strava::faults(&system.stack, &hostile).await?;
    let athletes = system.join(0..options.athletes).await?;
    let interval = Duration::from_millis(60);
    let pump = Pump::start(system.broker.clone(), "upstream", athletes.clone(), interval);
    let path = format!("/v1/athletes/{}", athletes[0]);
    let callers = Callers::start(&system.crowd, 2, &path, Manner::TakesNote);
    let patience = Duration::from_secs(system.plan.pick(60, 900));
    stack::journey::wait("every fault to be met", patience, async || {
        Ok(strava::faults_left(&system.stack).await? == 0)
    })
    .await?;
    let accepted = pump.stop().await?;
    let calls = callers.stop().await;
    let proof = system.prove(&athletes, &accepted).await?;
    assert_eq!(proof.activities, options.activities());
    system.plan.say(&format!(
        "{faults} faults; {} jobs, 0 lost, none set aside, {} redelivered; {} calls of others, the \
         slowest {:.1?}",
        proof.jobs,
        proof.redelivered,
        calls.made(),
        calls.slowest
    ));
    ensure!(calls.with(200) == calls.made(), "{calls:?}");
    ensure!(calls.slowest < UNDISTURBED, "{calls:?}");
    system.stop().await
}
