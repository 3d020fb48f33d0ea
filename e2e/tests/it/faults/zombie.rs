//! A consumer that is frozen for longer than its jobs wait, and then goes on.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stack::journey::wait;
use stack::{Options, Part, Stack};

use super::{Plan, System, jobs, strava};

/// Longest wait for a job that somebody holds: the contract's `ack_wait` of 30 s; as long again when
/// the broker gives it to the frozen one once more, which asked for messages before; and a margin.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_consumer_that_was_frozen_past_its_ack_wait_does_no_harm() -> Result<()> {
    let plan = Plan::of("zombie");
    let options = Options {
        athletes: 12,
        activities_per_athlete: 230,
        dispatch_every: Duration::from_secs(24 * 3600),
        seed: plan.seed,
        // Longer than the freeze, so that the frozen one takes the old answer when it wakes.
        settings: ["TIMEOUT", "READ_TIMEOUT"]
            .map(|what| (format!("CONSUMER__STRAVA__{what}_SECONDS"), "300".to_owned()))
            .to_vec(),
        ..Options::default()
    };
    let mut system = System::start(plan, &options).await?;
    let athletes = system.join(0..options.athletes).await?;
    system.settle().await?;
    let rounds = system.plan.pick(1, 10);
    let (mut round, mut accepted) = (0, Vec::new());
    while round < rounds || system.plan.goes_on() {
        round += 1;
        accepted.extend(freeze_once(&mut system, &athletes, round).await?);
    }
    let proof = system.prove(&athletes, &accepted).await?;
    system.plan.say(&format!(
        "{round} freezes past the ack wait: {} rows exact, {} of {} jobs redelivered",
        proof.activities, proof.redelivered, proof.jobs
    ));
    system.stop().await
}

/// Freezes a consumer with jobs in its hands, changes what they read, lets the other consumer do
/// them, and wakes the frozen one.
async fn freeze_once(
    system: &mut System,
    athletes: &[String],
    round: usize,
) -> Result<Vec<(String, String)>> {
    // Slow enough that the freeze meets every job before its first page has come.
    strava::faults(&system.stack, &json!({"latency_ms": 1_500})).await?;
    let request = format!("zombie-{round}");
    let mut accepted = Vec::new();
    for athlete in athletes {
        jobs::publish_surely(&system.broker, athlete, &request).await?;
        accepted.push((athlete.clone(), request.clone()));
    }
    wait("all jobs to be in work", Duration::from_secs(20), async || {
        Ok(in_work(&system.stack)? == athletes.len() as u64)
    })
    .await?;
    let (zombie, other) = (Part::Consumer(round % 2), Part::Consumer((round + 1) % 2));
    system.stack.freeze(zombie)?;
    // Strava answers the frozen one, too: what waits for it there is old once this has ended.
    wait("the jobs of the other to be done", Duration::from_secs(20), async || {
        Ok(in_hand(&system.stack, other).await? == 0.0)
    })
    .await?;
    strava::faults(&system.stack, &json!({})).await?;
    let held = in_work(&system.stack)?;
    for athlete in 0..system.stack.options().athletes {
        rename_newest(&system.stack, athlete, &format!("Round {round}")).await?;
    }
    for athlete in athletes {
        let request = format!("zombie-{round}-after");
        jobs::publish_surely(&system.broker, athlete, &request).await?;
        accepted.push((athlete.clone(), request));
    }
    let frozen = Instant::now();
    wait("the other to do all jobs", PATIENCE, async || Ok(in_work(&system.stack)? == 0)).await?;
    system.plan.say(&format!(
        "{zombie} was frozen with {held} jobs; the other has done them after {:.0?}",
        frozen.elapsed()
    ));
    system.stack.thaw(zombie)?;
    // It ends what it has in its hands before it stops.
    let ending = system.stack.terminate(zombie)?;
    ensure!(ending.code == 0, "{zombie} ended with {}", ending.code);
    system.stack.start_again(zombie)?;
    Ok(accepted)
}

/// Changes what Strava lists first.
async fn rename_newest(stack: &Stack, athlete: u32, name: &str) -> Result<()> {
    let (athletes, each) = (10_000_000, u64::from(stack.options().activities_per_athlete));
    let id = 15_000_000_000 + u64::from(athlete) * 1_000_000 + each - 1;
    let change = json!({"action": "update", "id": id, "activity": {"name": name}});
    strava::change(stack, athletes + u64::from(athlete), &change).await
}

/// How many jobs a consumer says that it has in its hands, whose shares need not be equal.
async fn in_hand(stack: &Stack, consumer: Part) -> Result<f64> {
    let (name, services) = (consumer.to_string(), stack.metrics()?);
    let (_, address) = services.iter().find(|(service, _)| *service == name).context(name)?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    let text = client.get(format!("http://{address}/metrics")).send().await?.text().await?;
    let figure = text.lines().find(|line| line.starts_with("nats_messages_in_work{"));
    let number = figure.and_then(|line| line.rsplit(' ').next()).context("no figure")?;
    Ok(number.parse()?)
}

/// How many jobs were delivered and are not answered yet, whoever has them.
fn in_work(stack: &Stack) -> Result<u64> {
    let text = stack.nats_monitoring("/jsz?streams=true&consumers=true")?;
    let jsz: Value = serde_json::from_str(&text)?;
    let consumers = jsz["account_details"][0]["stream_detail"]
        .as_array()
        .and_then(|streams| streams.iter().find(|stream| stream["name"] == "athlete"))
        .and_then(|stream| stream["consumer_detail"].as_array())
        .context("no consumers")?;
    let jobs = consumers
        .iter()
        .find(|one| one["name"] == "consumer-stravasync-sync-v1-SyncAthlete")
        .context("no consumer of jobs")?;
    Ok(jobs["num_ack_pending"].as_u64().unwrap_or(0))
}
