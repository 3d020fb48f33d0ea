//! Services that are asked to stop while they are at work, as each release does.

use std::time::Duration;

use anyhow::{Result, ensure};
use stack::{Options, Part};

use super::{Callers, Manner, Plan, Pump, System};

/// How soon a service that is asked to stop must be gone.
const GRACE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn services_that_are_asked_to_stop_end_well_and_fail_no_call() -> Result<()> {
    let plan = Plan::of("stops");
    let options = Options {
        athletes: plan.pick(12, 100),
        activities_per_athlete: 110,
        apis: 2,
        dispatch_every: Duration::from_secs(24 * 3600),
        seed: plan.seed,
        ..Options::default()
    };
    let mut system = System::start(plan, &options).await?;
    let athletes = system.join(0..options.athletes).await?;
    let interval = Duration::from_millis(40);
    let pump = Pump::start(system.broker.clone(), "stops", athletes.clone(), interval);
    let path = format!("/v1/athletes/{}", athletes[0]);
    let callers = Callers::start(&system.crowd, 8, &path, Manner::AsksTheNext);
    let rounds = system.plan.pick(3, 50);
    let (mut stops, mut slowest) = (0, Duration::ZERO);
    let mut round = 0;
    while round < rounds || system.plan.goes_on() {
        round += 1;
        for part in system.stack.services() {
            slowest = slowest.max(stop(&mut system, part).await?);
            stops += 1;
        }
        system.plan.say(&format!("round {round}: the slowest stop so far took {slowest:.1?}"));
    }
    let calls = callers.stop().await;
    let accepted = pump.stop().await?;
    let proof = system.prove(&athletes, &accepted).await?;
    assert_eq!(proof.activities, options.activities());
    system.plan.say(&format!(
        "{stops} stops, the slowest {slowest:.1?}; {} calls: {:?}; {} jobs, {} redelivered",
        calls.made(),
        calls.by_status,
        proof.jobs,
        proof.redelivered
    ));
    ensure!(calls.with(200) == calls.made(), "calls failed: {calls:?}");
    // One of a hundred, and one for a number that is less.
    let most = (proof.jobs / 100).max(1);
    ensure!(proof.redelivered <= most, "{} redelivered", proof.redelivered);
    system.stop().await
}

/// Stops a service and starts it again; tells how long its end took.
async fn stop(system: &mut System, part: Part) -> Result<Duration> {
    let ending = system.stack.terminate(part)?;
    ensure!(ending.code == 0, "{part} ended with {}", ending.code);
    ensure!(ending.took < GRACE, "{part} took {:?} to end", ending.took);
    system.stack.start_again(part)?;
    system.wait_ready(part, true, Duration::from_secs(30)).await?;
    Ok(ending.took)
}
