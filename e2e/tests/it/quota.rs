//! Strava's quota in the whole system: two consumers, one count, windows that turn.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stack::journey::{User, wait};
use stack::{Options, Stack, verify};

const PATIENCE: Duration = Duration::from_secs(120);

/// Seconds of a window, and reads in it.
const WINDOW: u64 = 4;
const LIMIT: u64 = 8;

/// Jobs that the two consumers take at a time.
const SLOTS: u64 = 16;

fn options() -> Options {
    let argument = |name: &str, value: u64| vec![name.to_owned(), value.to_string()];
    let variable = |name: &str, value: u64| (format!("API__QUOTA__{name}"), value.to_string());
    Options {
        athletes: 12,
        // Two pages and the empty one.
        activities_per_athlete: 250,
        consumers: 2,
        dispatch_every: Duration::from_secs(3_600),
        quota: [
            argument("--window-seconds", WINDOW),
            argument("--read-limit-15min", LIMIT),
            argument("--read-limit-daily", 1_000_000),
            argument("--limit-15min", 1_000_000),
            argument("--limit-daily", 1_000_000),
        ]
        .concat(),
        settings: vec![variable("WINDOW_SECONDS", WINDOW), variable("MARGIN_MILLISECONDS", 400)],
        ..Options::default()
    }
}

/// A window as the simulator counted it.
struct Window {
    began: u64,
    calls: u64,
    refused: u64,
}

async fn windows(stack: &Stack, user: &User) -> Result<Vec<Window>> {
    let listed = user.get_url(&format!("http://{}/_sim/quota", stack.addresses().strava)).await?;
    let number = |window: &Value, key: &str| window[key].as_u64().context("no number");
    let window = |window: &Value| {
        Ok(Window {
            began: number(window, "began")?,
            calls: number(window, "calls")?,
            refused: number(window, "refused")?,
        })
    };
    listed.as_array().context("no list")?.iter().map(window).collect()
}

/// Deliveries of jobs so far, and jobs that are being delivered again; an error while jobs are at work.
fn deliveries(stack: &Stack) -> Result<(u64, u64)> {
    let report: Value = serde_json::from_str(&stack.nats_monitoring("/jsz?consumers=true")?)?;
    let streams = report["account_details"][0]["stream_detail"].as_array().context("no streams")?;
    let consumers = streams.iter().filter_map(|stream| stream["consumer_detail"].as_array());
    let jobs = consumers
        .flatten()
        .find(|consumer| consumer["name"] == "consumer-stravasync-sync-v1-SyncAthlete")
        .context("no consumer of jobs")?;
    ensure!(jobs["num_ack_pending"] == 0, "jobs are still at work: {jobs}");
    let delivered = jobs["delivered"]["consumer_seq"].as_u64().context("no deliveries")?;
    Ok((delivered, jobs["num_redelivered"].as_u64().context("no redeliveries")?))
}

async fn synced(user: &User, activities: u64) -> Result<()> {
    wait("all activities", PATIENCE, async || Ok(user.activities().await? >= activities)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_consumers_keep_to_one_quota_and_wait_in_place_for_the_next_window() -> Result<()> {
    let options = options();
    let (stack, directory) = crate::start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;

    // Eight athletes take 24 calls, which is more than two windows have.
    let mut athletes = user.join_all(8).await?;
    synced(&user, 8 * 250).await?;
    let spent = windows(&stack, &user).await?;
    for window in &spent {
        ensure!(window.refused == 0, "{} refused in window {}", window.refused, window.began);
        ensure!(window.calls <= LIMIT, "{} calls in window {}", window.calls, window.began);
    }
    let calls: u64 = spent.iter().map(|window| window.calls).sum();
    println!("{calls} calls in {} windows of {LIMIT}, none refused", spent.len());

    // Then Strava refuses everything for more than two windows, whatever our count says.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let until = (now / WINDOW + 3) * WINDOW;
    let faults = format!("http://{}/_sim/faults", stack.addresses().strava);
    user.post_url(&faults, &json!({ "rate_limited_until": until })).await?;
    for index in 8..options.athletes {
        athletes.push(user.join(index).await?);
    }
    synced(&user, options.activities()).await?;
    let mut probes = Vec::new();
    for window in windows(&stack, &user).await?.iter().filter(|window| window.began + WINDOW > now)
    {
        let begun_before = window.began <= now;
        let most = if begun_before { SLOTS } else { 1 };
        ensure!(window.refused <= most, "{} refused in {}", window.refused, window.began);
        ensure!(window.calls <= LIMIT.max(most), "{} calls in {}", window.calls, window.began);
        if window.began < until {
            probes.push((window.calls, window.refused));
        }
    }
    ensure!(probes.iter().any(|(_, refused)| *refused > 0), "nothing was refused");
    println!("calls and refusals in the windows that Strava refused: {probes:?}");

    // Every job was delivered once, however long it waited.
    wait("all jobs to be done", PATIENCE, async || Ok(deliveries(&stack).is_ok())).await?;
    let (delivered, redelivered) = deliveries(&stack)?;
    ensure!((delivered, redelivered) == (12, 0), "{delivered} deliveries, {redelivered} again");
    let verified = verify::verify(&stack, &user, &athletes).await?;
    ensure!(verified == options.activities(), "{verified} verified");
    stack.stop();
    directory.succeeded()
}
