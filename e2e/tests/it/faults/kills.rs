//! Services that are killed, one after the other, in the midst of their work.

use std::time::{Duration, Instant};

use anyhow::Result;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use stack::{Options, Part};

use super::system::join;
use super::{Plan, Pump, System};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn services_that_are_killed_in_turn_lose_no_job_and_write_no_row_twice() -> Result<()> {
    let plan = Plan::of("kills");
    let options = Options {
        athletes: plan.pick(24, 200),
        activities_per_athlete: plan.pick(110, 220),
        // Dispatches are triggered, so that a run repeats by its seed.
        dispatch_every: Duration::from_secs(24 * 3600),
        seed: plan.seed,
        ..Options::default()
    };
    let target = plan.pick(400, 10_000);
    let mut system = System::start(plan, &options).await?;
    // Some are there before the first kill, and the others join while services die.
    let early = options.athletes / 3;
    let mut athletes = system.join(0..early).await?;
    let late = tokio::spawn(join(system.crowd.clone(), early..options.athletes));
    let interval = Duration::from_millis(system.plan.pick(25, 12));
    let pump = Pump::start(system.broker.clone(), "kills", athletes.clone(), interval);
    let kills = kill_until(&mut system, &pump, target).await?;
    let accepted = pump.stop().await?;
    athletes.extend(late.await??);
    let settling = Instant::now();
    let proof = system.prove(&athletes, &accepted).await?;
    assert_eq!(proof.activities, options.activities());
    system.plan.say(&format!(
        "{kills} kills over {} jobs: 0 lost, 0 duplicates, {} redelivered; settled in {:.0} s",
        proof.jobs,
        proof.redelivered,
        settling.elapsed().as_secs_f64()
    ));
    system.stop().await
}

/// Kills each service in turn and starts it again at once, until enough jobs were accepted.
async fn kill_until(system: &mut System, pump: &Pump, target: usize) -> Result<usize> {
    let mut random = system.plan.random();
    let mut victims: Vec<Part> = Vec::new();
    let mut kills = 0;
    // Every service at least once, however fast the jobs go.
    let least = system.stack.services().len();
    while kills < least || pump.accepted() < target || system.plan.goes_on() {
        if victims.is_empty() {
            victims = system.stack.services();
            // The server of the schedule dies with its worker, in the long form.
            victims.extend(system.plan.pick(None, Some(Part::Temporal)));
            victims.shuffle(&mut random);
            // Overlapping dispatches are skipped, so this asks for one at most.
            trigger(system);
        }
        let wait = system.plan.pick(500..1_500, 2_000..5_000);
        tokio::time::sleep(Duration::from_millis(random.random_range(wait))).await;
        let Some(victim) = victims.pop() else { continue };
        system.stack.kill(victim)?;
        system.stack.start_again(victim)?;
        kills += 1;
        system
            .plan
            .say(&format!("kill {kills}: {victim}; {} jobs were accepted so far", pump.accepted()));
    }
    Ok(kills)
}

/// Asks for a dispatch, which a Temporal that is just starting may miss.
fn trigger(system: &System) {
    let asked = ["schedule", "trigger", "--schedule-id", stack::SCHEDULE];
    if let Err(error) = system.stack.temporal(&asked) {
        system.plan.say(&format!("no dispatch this time: {error:#}"));
    }
}
