//! `cargo xtask demo`: the main job, end to end, on real parts.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use stack::journey::{User, wait};
use stack::operator::Operator;
use stack::report::{Jobs, Summary};
use stack::telemetry::Receiver;
use stack::{Stack, verify};

use crate::system::{Narrator, Size, with_settings};

/// Longest time for anything that depends on the size of the demo.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// What is shown of the services' metrics.
const SHOWN: [&str; 8] = [
    "http_server_request_duration_seconds_count",
    "rpc_server_call_duration_seconds_count",
    "messaging_process_duration_seconds_count",
    "temporal_activity_duration_seconds_count",
    "nats_messages_",
    "nats_consumer_pending",
    "outbox_",
    "traces_spans_total",
];

/// Runs the main job end to end on real parts, proves the result and stops everything.
///
/// Starts Postgres, nats-server, the Temporal server, a simulated Strava, the api,
/// consumers and the worker on free ports of this machine; registers athletes and
/// walks each through Strava's consent; waits until the first sync and one
/// dispatched by the schedule are done, and a change that Strava told of by its
/// webhook has come; compares every athlete's activities in Postgres with Strava's
/// by count and checksum. Exits with 0 only when all of it is so. With --telemetry it
/// shows one trace and some figures of the services at the end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask demo
  cargo xtask demo --secrets vault
  cargo xtask demo --athletes 3 --telemetry
  cargo xtask demo --athletes 1000 --activities-per-athlete 50 --consumers 4")]
pub struct Arguments {
    #[command(flatten)]
    size: Size,
    /// Receive the services' traces, and show one of them and some metrics at the end.
    #[arg(long)]
    telemetry: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let receiver = self.telemetry.then(Receiver::start).transpose()?;
        let settings = receiver.as_ref().map(Receiver::settings).unwrap_or_default();
        with_settings(&self.size, settings, async |stack, narrator| {
            let summary = drive(stack, narrator).await?;
            if let Some(receiver) = &receiver {
                show_telemetry(stack, receiver).await?;
            }
            println!("\n{summary}");
            Ok(())
        })
    }
}

/// The trace of a consent with the job that it caused, and what the services count.
async fn show_telemetry(stack: &Stack, receiver: &Receiver) -> Result<()> {
    let consent = ("api", "GET /v1/strava/callback");
    let chain = [consent, ("consumer", "process "), ("api", "INSERT activities")];
    let mut shown = None;
    wait("the trace of a consent", Duration::from_secs(60), async || {
        shown = receiver.traces().into_iter().find(|trace| trace.has_chain(&chain));
        Ok(shown.is_some())
    })
    .await?;
    if let Some(trace) = shown {
        println!("\nOne of {} traces:\n\n{trace}", receiver.traces().len());
    }
    for (process, address) in stack.metrics()? {
        let (_, text) = testbed::http::get(address, "/metrics")?;
        println!("{process}, http://{address}/metrics:");
        let is_shown = |line: &&str| SHOWN.iter().any(|name| line.starts_with(name));
        text.lines().filter(is_shown).for_each(|line| println!("  {line}"));
    }
    Ok(())
}

/// The journey and its proof.
async fn drive(stack: &mut Stack, narrator: Narrator) -> Result<Summary> {
    let options = stack.options().clone();
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(Duration::from_secs(60)).await?;
    narrator.say(&format!("{} athletes register and consent", options.athletes));
    let started = Instant::now();
    let athletes = user.join_all(options.athletes).await?;
    narrator.say("waiting for their activities");
    let wanted = options.activities();
    let mut told = Instant::now();
    wait("all activities to be in Postgres", PATIENCE, async || {
        stack.check_alive()?;
        let present = user.activities().await?;
        if told.elapsed() > Duration::from_secs(2) {
            narrator.say(&format!("{present} of {wanted} activities are in"));
            told = Instant::now();
        }
        Ok(present >= wanted)
    })
    .await?;
    let elapsed = started.elapsed();
    narrator.say(&format!("all {wanted} activities are in; waiting for the schedule's dispatch"));
    settle(stack, options.athletes).await?;
    if options.activities_per_athlete > 0 {
        hear(stack, &user, &athletes[0], narrator).await?;
    }
    narrator.say("comparing counts and checksums with the simulator");
    let activities = verify::verify(stack, &user, &athletes).await?;
    if activities != wanted {
        bail!("{activities} activities are in Postgres instead of {wanted}");
    }
    let jobs = Jobs::count(stack)?;
    if jobs.dead > 0 {
        bail!("{} jobs were set aside as dead letters", jobs.dead);
    }
    Ok(Summary { athletes: athletes.len() as u64, activities, jobs, elapsed })
}

/// Has Strava tell us of a change, with the schedule paused, so that nothing else brings it.
async fn hear(stack: &Stack, user: &User, athlete: &str, narrator: Narrator) -> Result<()> {
    let api = format!("http://{}", stack.addresses().http);
    Operator::new(&api, stack.operator_token())?.subscribe().await?;
    let newest = user.get(&format!("/v1/athletes/{athlete}/activities?pageSize=1")).await?;
    let id = newest["activities"][0]["activityId"].as_str().context("no activity")?;
    let title = "A title of this minute";
    let change = json!({
        "action": "update", "id": id.parse::<u64>()?, "activity": {"name": title},
    });
    // The first to consent is the simulator's first athlete.
    let url = format!("http://{}/_sim/athletes/10000000/activities", stack.addresses().strava);
    let told = Instant::now();
    user.post_url(&url, &change).await?;
    wait("a change that Strava's webhook told of", PATIENCE, async || {
        let found = user.get(&format!("/v1/activities/{id}")).await?;
        Ok(found["activity"]["name"] == title)
    })
    .await?;
    let seconds = told.elapsed().as_secs_f64();
    narrator.say(&format!(
        "an athlete gave an activity a title; by webhook it was here {seconds:.1} s later"
    ));
    Ok(())
}

/// Waits until each athlete was synced a second time, which only the schedule asks
/// for, then pauses the schedule and waits until no job is left.
async fn settle(stack: &mut Stack, athletes: u32) -> Result<()> {
    let runs = "SELECT count(*) FROM (SELECT athlete_id FROM sync_runs \
                GROUP BY athlete_id HAVING count(*) >= 2) AS synced";
    wait("the schedule's jobs to be done", PATIENCE, async || {
        stack.check_alive()?;
        Ok(stack.sql(runs)?.trim().parse::<u32>()? >= athletes)
    })
    .await?;
    stack.temporal(&[
        "schedule",
        "toggle",
        "--schedule-id",
        stack::SCHEDULE,
        "--pause",
        "--reason",
        "the demo has seen enough",
    ])?;
    let mut quiet = 0;
    wait("all jobs to be done", PATIENCE, async || {
        // A dispatch that had begun may still publish: once idle is not enough.
        quiet = if Jobs::count(stack)?.idle { quiet + 1 } else { 0 };
        Ok(quiet >= 5)
    })
    .await
}
