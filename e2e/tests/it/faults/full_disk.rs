//! The database's disk is full, and then has room again.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use stack::journey::wait;
use stack::{Options, Part};
use testbed::{RunDirectory, SmallVolume};

use super::{Plan, Pump, System};

/// Checks every B-tree of the database against its table, each row against its index.
const CHECK_INDEXES: &str = "CREATE EXTENSION IF NOT EXISTS amcheck; \
     SELECT count(bt_index_check(index.indexrelid, true)) FROM pg_index AS index \
     JOIN pg_class AS class ON class.oid = index.indexrelid \
     JOIN pg_am AS method ON method.oid = class.relam \
     WHERE method.amname = 'btree' AND class.relpersistence = 'p'";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_without_room_refuses_loses_nothing_and_is_whole() -> Result<()> {
    let plan = Plan::of("full-disk");
    let place = RunDirectory::disposable("treaty-volume")?;
    let Some(volume) = SmallVolume::mount(place.path().join("volume"), 320)? else {
        return Ok(());
    };
    let options = Options {
        athletes: plan.pick(24, 100),
        activities_per_athlete: 220,
        dispatch_every: Duration::from_secs(24 * 3600),
        seed: plan.seed,
        postgres_directory: Some(volume.path().join("postgres")),
        ..Options::default()
    };
    let mut system = System::start(plan, &options).await?;
    let mut athletes = system.join(0..6).await?;
    system.settle().await?;
    let interval = Duration::from_millis(100);
    let pump = Pump::start(system.broker.clone(), "full", athletes.clone(), interval);
    volume.fill()?;
    let late = tokio::spawn(super::system::join(system.crowd.clone(), 6..options.athletes));
    let refused = wait_refused(&mut system, &volume).await?;
    volume.make_room()?;
    bring_back(&mut system).await?;
    let accepted = pump.stop().await?;
    athletes.extend(late.await??);
    let proof = system.prove(&athletes, &accepted).await?;
    assert_eq!(proof.activities, options.activities());
    let indexes = system.stack.sql(CHECK_INDEXES)?;
    system.plan.say(&format!(
        "refused {refused} times for want of room; {} jobs, 0 lost, {} redelivered; {indexes} \
         indexes are whole",
        proof.jobs, proof.redelivered
    ));
    system.stop().await?;
    drop(volume);
    Ok(())
}

/// Waits until Postgres has refused writes for a while, and tells how often it said so.
async fn wait_refused(system: &mut System, volume: &SmallVolume) -> Result<usize> {
    let log = system.stack.directory().join("postgres.log");
    let mut refused = 0;
    let enough = system.plan.pick(8, 30);
    wait("writes to be refused", Duration::from_secs(60), async || {
        // What Postgres gives back, such as a segment of its log, is taken again.
        volume.fill()?;
        let said = std::fs::read(&log).context("Postgres's log")?;
        refused = String::from_utf8_lossy(&said).matches("No space left on device").count();
        Ok(refused >= enough)
    })
    .await?;
    ensure!(system.stack.is_running(Part::Api(0))?, "the api has ended");
    Ok(refused)
}

/// Without room for its log Postgres ends, which takes an operator or a supervisor.
async fn bring_back(system: &mut System) -> Result<()> {
    if !system.stack.is_running(Part::Postgres)? {
        system.plan.say("Postgres has ended for want of room; it is started again");
        system.stack.start_again(Part::Postgres)?;
    }
    let ready = system.wait_ready(Part::Api(0), true, Duration::from_secs(10)).await?;
    system.plan.say(&format!("the api is ready {ready:.1?} after there was room"));
    Ok(())
}
