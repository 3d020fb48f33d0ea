//! What athletes change, delete and upload late at Strava, and several who ask at once.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use api_port::sync_v1::{SyncAthlete, SyncReason};
use async_nats::{ConnectOptions, HeaderMap, jetstream};
use prost::Message as _;
use serde_json::{Value, json};
use stack::journey::{User, wait};
use stack::report::Jobs;
use stack::{Options, Stack, verify};

const PATIENCE: Duration = Duration::from_secs(120);

/// The simulator's first athlete, and its activities from the oldest on.
const ATHLETE: u64 = 10_000_000;
const OLDEST: u64 = 15_000_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_walk_finds_every_change_and_those_who_ask_at_once_share_it() -> Result<()> {
    let options = Options {
        athletes: 2,
        activities_per_athlete: 230,
        dispatch_every: Duration::from_secs(3600),
        seed: 11,
        ..Options::default()
    };
    let (stack, directory) = crate::start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;
    let athletes = user.join_all(options.athletes).await?;
    wait("the first syncs to end", PATIENCE, async || {
        Ok(stack.sql("SELECT count(*) FROM athletes WHERE last_synced_at IS NOT NULL")?.trim()
            == "2")
    })
    .await?;

    // Far before what a sync of new activities asks for.
    change(&stack, &user, json!({"action": "delete", "id": OLDEST + 100})).await?;
    let title = json!({"name": "A better title"});
    change(&stack, &user, json!({"action": "update", "id": OLDEST + 50, "activity": title}))
        .await?;
    let late = json!({"name": "Found in a drawer", "start_date": 1_262_304_000});
    change(&stack, &user, json!({"action": "create", "activity": late})).await?;
    ask_at_once(&stack, &athletes[0]).await?;
    wait("the deletion", PATIENCE, async || {
        Ok(stack.sql("SELECT coalesce(sum(deleted), 0) FROM sync_runs")?.trim() == "1")
    })
    .await?;
    wait("all syncs to end", PATIENCE, async || {
        let busy = "SELECT count(*) FROM sync_states \
                    WHERE lease_holder IS NOT NULL OR wanted_at IS NOT NULL";
        Ok(Jobs::count(&stack)?.idle && stack.sql(busy)?.trim() == "0")
    })
    .await?;
    let verified = verify::verify(&stack, &user, &athletes).await?;
    ensure!(verified == options.activities(), "one is gone and one has come: {verified}");
    let inserted = stack.sql("SELECT sum(inserted) FROM sync_runs")?;
    ensure!(inserted.trim() == "461", "each activity was inserted by one sync: {inserted}");
    let jobs = Jobs::count(&stack)?;
    ensure!((jobs.dead, jobs.redelivered) == (0, 0), "nobody waits in the stream: {jobs:?}");
    stack.stop();
    directory.succeeded()
}

/// Changes an activity at Strava.
async fn change(stack: &Stack, user: &User, change: Value) -> Result<()> {
    let path = format!("/_sim/athletes/{ATHLETE}/activities");
    let url = format!("http://{}{path}", stack.addresses().strava);
    user.post_url(&url, &change).await.map(drop)
}

/// A schedule, a webhook, a user and a reconciliation, each with a job of its own.
async fn ask_at_once(stack: &Stack, athlete_id: &str) -> Result<()> {
    let client = ConnectOptions::new()
        .user_and_password("operations".to_owned(), stack.nats_password().to_owned())
        .connect(&stack.addresses().nats)
        .await?;
    let stream = jetstream::new(client);
    let mut headers = HeaderMap::new();
    headers.insert("Treaty-Event", "stravasync.sync.v1.SyncAthlete");
    let mut stored = Vec::new();
    for (reason, full) in [
        (SyncReason::Schedule, false),
        (SyncReason::Webhook, false),
        (SyncReason::User, false),
        (SyncReason::Reconcile, true),
    ] {
        let job = SyncAthlete {
            athlete_id: athlete_id.to_owned(),
            request_id: format!("at once: {}", reason.as_str_name()),
            reason: reason.into(),
            request_time: Some(std::time::SystemTime::now().into()),
            full,
        };
        let subject = format!("athlete.sync.{athlete_id}");
        let payload = job.encode_to_vec().into();
        stored.push(stream.publish_with_headers(subject, headers.clone(), payload).await?);
    }
    for confirmation in stored {
        confirmation.await.context("a job is not in the stream")?;
    }
    Ok(())
}
