//! The database away for a while: stopped at once, started again and frozen under load.

use std::time::Duration;

use anyhow::{Result, ensure};
use stack::{Options, Part};

use super::{Callers, Manner, Plan, Pump, System};

/// How soon the api is ready once the database is back.
const READY: Duration = Duration::from_secs(5);

/// How long a call may take: the contracts' deadline, which is the default of ten seconds, and a
/// second for a busy machine.
const DEADLINE: Duration = Duration::from_secs(11);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_away_is_told_of_in_time_and_loses_nothing() -> Result<()> {
    let plan = Plan::of("database");
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
    let pump = Pump::start(system.broker.clone(), "database", athletes.clone(), interval);
    let late = tokio::spawn(super::system::join(system.crowd.clone(), half..options.athletes));
    let outages = system.plan.pick(1, 10);
    let mut outage = 0;
    while outage < outages || system.plan.goes_on() {
        outage += 1;
        let away = Duration::from_secs(2);
        stop_database(&mut system, &athletes[0], away).await?;
        let frozen = Duration::from_secs(system.plan.pick(8, 30));
        freeze_database(&mut system, &athletes[0], frozen).await?;
    }
    let accepted = pump.stop().await?;
    athletes.extend(late.await??);
    let proof = system.prove(&athletes, &accepted).await?;
    assert_eq!(proof.activities, options.activities());
    system.plan.say(&format!(
        "{outage} stops and freezes; {} jobs, 0 lost, {} redelivered",
        proof.jobs, proof.redelivered
    ));
    system.stop().await
}

async fn stop_database(system: &mut System, athlete: &str, away: Duration) -> Result<()> {
    let path = format!("/v1/athletes/{athlete}");
    let callers = Callers::start(&system.crowd, 4, &path, Manner::TakesNote);
    system.stack.stop_database()?;
    let noticed = system.wait_ready(Part::Api(0), false, Duration::from_secs(5)).await?;
    tokio::time::sleep(away).await;
    system.stack.start_again(Part::Postgres)?;
    let ready = system.wait_ready(Part::Api(0), true, READY).await?;
    judge(system, callers, "stopped", noticed, ready).await
}

async fn freeze_database(system: &mut System, athlete: &str, frozen: Duration) -> Result<()> {
    let path = format!("/v1/athletes/{athlete}");
    let callers = Callers::start(&system.crowd, 4, &path, Manner::TakesNote);
    system.stack.freeze(Part::Postgres)?;
    let noticed = system.wait_ready(Part::Api(0), false, Duration::from_secs(5)).await?;
    tokio::time::sleep(frozen.saturating_sub(noticed)).await;
    system.stack.thaw(Part::Postgres)?;
    let ready = system.wait_ready(Part::Api(0), true, READY).await?;
    judge(system, callers, "frozen", noticed, ready).await
}

/// Each call was answered in time: by what was asked for, or by 503 or 504.
async fn judge(
    system: &System,
    callers: Callers,
    how: &str,
    noticed: Duration,
    ready: Duration,
) -> Result<()> {
    let calls = callers.stop().await;
    system.plan.say(&format!(
        "{how}: not ready after {noticed:.1?}, ready {ready:.1?} after its return; {} calls, the \
         slowest {:.1?}: {:?}",
        calls.made(),
        calls.slowest,
        calls.by_status
    ));
    let refused = calls.with(503) + calls.with(504);
    ensure!(calls.with(200) + refused == calls.made(), "{calls:?}");
    ensure!(refused > 0, "no call met the outage: {calls:?}");
    ensure!(calls.slowest < DEADLINE, "{calls:?}");
    Ok(())
}
