//! The broker away for a while: killed, started again and frozen under load.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stack::{Options, Part};

use super::{Plan, Pump, System};

/// How soon work goes on once the broker is back.
const RESUMES: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_that_is_away_loses_no_job_and_needs_no_hand() -> Result<()> {
    let plan = Plan::of("broker");
    let options = Options {
        athletes: plan.pick(12, 100),
        activities_per_athlete: 110,
        dispatch_every: Duration::from_secs(24 * 3600),
        seed: plan.seed,
        ..Options::default()
    };
    let mut system = System::start(plan, &options).await?;
    let half = options.athletes / 2;
    let mut athletes = system.join(0..half).await?;
    let interval = Duration::from_millis(50);
    let pump = Pump::start(system.broker.clone(), "broker", athletes.clone(), interval);
    // Athletes consent while the broker is away, too: their jobs wait in the outbox.
    let late = tokio::spawn(super::system::join(system.crowd.clone(), half..options.athletes));
    let restarts = system.plan.pick(3, 20);
    let mut slowest = Duration::ZERO;
    let mut restart = 0;
    while restart < restarts || system.plan.goes_on() {
        restart += 1;
        let resumed = restart_broker(&mut system, &athletes[0], restart).await?;
        slowest = slowest.max(resumed);
    }
    let frozen = Duration::from_secs(system.plan.pick(12, 60));
    system.stack.freeze(Part::Nats)?;
    tokio::time::sleep(frozen).await;
    system.stack.thaw(Part::Nats)?;
    let thawed = system.job_is_done(&athletes[0], "after-the-freeze", RESUMES).await?;
    let accepted = pump.stop().await?;
    athletes.extend(late.await??);
    let proof = system.prove(&athletes, &accepted).await?;
    assert_eq!(proof.activities, options.activities());
    system.plan.say(&format!(
        "{restart} restarts: a job was done {slowest:.1?} after one at most; frozen for \
         {frozen:?}: {thawed:.1?} after; {} jobs, 0 lost, {} redelivered",
        proof.jobs, proof.redelivered
    ));
    system.stop().await
}

/// Kills the broker, sees the services notice, starts it again, and tells how long it took until a
/// new job was done.
async fn restart_broker(system: &mut System, athlete: &str, number: u32) -> Result<Duration> {
    system.stack.kill(Part::Nats)?;
    let users = [Part::Consumer(0), Part::Consumer(1), Part::Worker];
    for part in users {
        system.wait_ready(part, false, Duration::from_secs(5)).await?;
    }
    // Calls are answered without a broker: what they promise waits in the outbox.
    ensure!(system.stack.is_ready(Part::Api(0))?, "the api needs no broker");
    system.stack.start_again(Part::Nats)?;
    let started = Instant::now();
    system.job_is_done(athlete, &format!("after-restart-{number}"), RESUMES).await?;
    let resumed = started.elapsed();
    for part in users {
        system.wait_ready(part, true, RESUMES).await?;
    }
    system.plan.say(&format!("restart {number}: a new job was done after {resumed:.1?}"));
    Ok(resumed)
}
