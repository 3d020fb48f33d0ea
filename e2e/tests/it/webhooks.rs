//! Strava's webhook in the whole system: what changes there changes here, without the schedule.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stack::journey::{User, wait};
use stack::operator::Operator;
use stack::report::Jobs;
use stack::telemetry::{Receiver, Trace};
use stack::{Options, Stack, verify};

const PATIENCE: Duration = Duration::from_secs(60);

/// The simulator's first athlete, and its activities from the oldest on.
const ATHLETE: u64 = 10_000_000;
const OLDEST: u64 = 15_000_000_000;

struct World {
    stack: Stack,
    user: User,
    athletes: Vec<String>,
    receiver: Receiver,
}

impl World {
    /// An address of the simulator's.
    fn strava(&self, path: &str) -> String {
        format!("http://{}{path}", self.stack.addresses().strava)
    }

    /// Changes an activity of the first athlete at Strava, which tells us; gives its identifier.
    async fn change(&self, change: Value) -> Result<u64> {
        let url = self.strava(&format!("/_sim/athletes/{ATHLETE}/activities"));
        let changed = self.user.post_url(&url, &change).await?;
        ensure!(changed["announced"] == true, "Strava tells nobody: {changed}");
        changed["id"].as_u64().context("no id")
    }

    async fn activity(&self, id: u64) -> Option<Value> {
        let found = self.user.get(&format!("/v1/activities/{id}")).await.ok()?;
        Some(found["activity"].clone())
    }

    fn count(&self, sql: &str) -> Result<u64> {
        Ok(self.stack.sql(sql)?.trim().parse()?)
    }

    /// Waits until nothing is left to do for any event.
    async fn settled(&self) -> Result<()> {
        wait("all events and jobs to be done", PATIENCE, async || {
            let waiting = self.count(
                "SELECT count(*) FROM webhook_events WHERE job_promised_at IS NULL \
                            AND processed_at IS NULL",
            )?;
            let busy = self.count(
                "SELECT count(*) FROM sync_states \
                                   WHERE lease_holder IS NOT NULL OR wanted_at IS NOT NULL",
            )?;
            Ok(waiting == 0 && busy == 0 && Jobs::count(&self.stack)?.idle)
        })
        .await
    }

    /// Sends what Strava did not; the status that comes back.
    async fn forge(&self, told: &Value) -> Result<u16> {
        let path = self.stack.callback_path();
        let url = format!("http://{}{path}", self.stack.addresses().http);
        let answer = reqwest::Client::new().post(url).json(told).send().await?;
        Ok(answer.status().as_u16())
    }
}

async fn start() -> Result<(World, testbed::RunDirectory)> {
    let receiver = Receiver::start()?;
    let options = Options {
        athletes: 2,
        activities_per_athlete: 230,
        dispatch_every: Duration::from_secs(3600),
        seed: 5,
        settings: receiver.settings(),
        ..Options::default()
    };
    let (stack, directory) = crate::start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;
    let athletes = user.join_all(options.athletes).await?;
    let world = World { stack, user, athletes, receiver };
    wait("the first syncs to end", PATIENCE, async || {
        let synced = "SELECT count(*) FROM athletes WHERE last_synced_at IS NOT NULL";
        Ok(world.count(synced)? == 2)
    })
    .await?;
    Ok((world, directory))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_at_strava_changes_here_and_a_withdrawal_deletes_everything() -> Result<()> {
    let (world, directory) = start().await?;
    let subscription = subscribe(&world).await?;
    changes(&world).await?;
    forgeries(&world, subscription).await?;
    withdrawal(&world).await?;
    traced(&world).await?;
    let deliveries = world.user.get_url(&world.strava("/_sim/deliveries")).await?;
    let deliveries = deliveries.as_array().context("no list")?;
    ensure!(deliveries.len() >= 4, "{deliveries:?}");
    for delivery in deliveries {
        ensure!(delivery["attempts"] == json!(["200"]), "answered at once: {delivery}");
    }
    let secret = world.stack.callback_path();
    let secret = secret.rsplit('/').next().context("no secret")?;
    let log = std::fs::read_to_string(world.stack.directory().join("api-1.log"))?;
    ensure!(!log.contains(secret), "the log tells where the callback is");
    for span in world.receiver.spans() {
        ensure!(!format!("{span:?}").contains(secret), "a span tells where the callback is");
    }
    world.stack.stop();
    directory.succeeded()
}

/// Two subscribe at once: one subscription comes of it.
async fn subscribe(world: &World) -> Result<u64> {
    let api = format!("http://{}", world.stack.addresses().http);
    let operator = Operator::new(&api, world.stack.operator_token())?;
    ensure!(operator.subscriptions().await?.is_empty());
    let (one, other) = tokio::join!(operator.subscribe(), operator.subscribe());
    let (one, other) = (one?, other?);
    ensure!(one["subscription"]["subscriptionId"] == other["subscription"]["subscriptionId"]);
    ensure!((one["created"] == true) != (other["created"] == true), "{one} {other}");
    let id = one["subscription"]["subscriptionId"].as_str().context("no number")?.parse()?;
    operator.unsubscribe(id).await?;
    ensure!(operator.subscriptions().await?.is_empty());
    operator.unsubscribe(id).await.context("what has ended may end again")?;
    let anew = operator.subscribe().await?;
    let listed = operator.subscriptions().await?;
    ensure!(listed.len() == 1 && listed[0]["ours"] == true, "{listed:?}");
    anew["subscription"]["subscriptionId"].as_str().context("no number")?.parse().context("number")
}

/// What writes events down has a trace, which refers to those of the requests that brought them.
async fn traced(world: &World) -> Result<()> {
    wait("a batch of events that refers to their requests", PATIENCE, async || {
        let traces = world.receiver.traces();
        let requests = |trace: &&Trace| trace.has_chain(&[("api", "POST /v1/strava/webhook/")]);
        let requests: BTreeSet<_> = traces
            .iter()
            .filter(requests)
            .flat_map(Trace::spans)
            .map(|span| &span.trace_id)
            .collect();
        let batch = [("api", "record webhook events"), ("api", "SELECT")];
        Ok(traces.iter().filter(|trace| trace.has_chain(&batch)).any(|trace| {
            let links = trace.spans().iter().flat_map(|span| &span.links);
            links.into_iter().any(|link| requests.contains(link))
        }))
    })
    .await
}

async fn changes(world: &World) -> Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let new = json!({"name": "Just now", "start_date": now - 3600});
    let id = world.change(json!({"action": "create", "activity": new})).await?;
    wait("a new activity to come", PATIENCE, async || Ok(world.activity(id).await.is_some()))
        .await?;
    // Far before what a sync of new activities asks for.
    let old = OLDEST + 3;
    let title = json!({"name": "A better title"});
    world.change(json!({"action": "update", "id": old, "activity": title})).await?;
    wait("a new title to come", PATIENCE, async || {
        Ok(world.activity(old).await.is_some_and(|activity| activity["name"] == "A better title"))
    })
    .await?;
    let gone = OLDEST + 100;
    world.change(json!({"action": "delete", "id": gone})).await?;
    wait("a deleted activity to go", PATIENCE, async || Ok(world.activity(gone).await.is_none()))
        .await?;
    world.settled().await?;
    let verified = verify::verify(&world.stack, &world.user, &world.athletes).await?;
    ensure!(verified == 460, "one has come and one is gone: {verified}");
    let scheduled = "SELECT count(*) FROM sync_runs";
    println!("{} syncs in all, of which 2 by consent", world.count(scheduled)?);
    Ok(())
}

/// Who knows the path can still change nothing.
async fn forgeries(world: &World, subscription: u64) -> Result<()> {
    let jobs = Jobs::count(&world.stack)?.published;
    let recorded = world.count("SELECT count(*) FROM webhook_events")?;
    let told = |owner: u64, subscription: u64| {
        json!({
            "object_type": "activity", "object_id": OLDEST + 7, "aspect_type": "delete",
            "updates": {}, "owner_id": owner, "subscription_id": subscription, "event_time": 1,
        })
    };
    ensure!(world.forge(&told(ATHLETE, subscription + 1)).await? == 200);
    ensure!(world.forge(&told(ATHLETE + 77, subscription)).await? == 200);
    ensure!(world.count("SELECT count(*) FROM webhook_events")? == recorded, "ignored at once");
    // Another of ours, whose activity it is not; and a withdrawal that Strava does not confirm.
    ensure!(world.forge(&told(ATHLETE + 1, subscription)).await? == 200);
    let mut withdrawal = told(ATHLETE, subscription);
    withdrawal["object_type"] = "athlete".into();
    withdrawal["object_id"] = ATHLETE.into();
    withdrawal["aspect_type"] = "update".into();
    withdrawal["updates"] = json!({"authorized": "false"});
    ensure!(world.forge(&withdrawal).await? == 200);
    world.settled().await?;
    let verified = verify::verify(&world.stack, &world.user, &world.athletes).await?;
    ensure!(verified == 460, "{verified}");
    ensure!(Jobs::count(&world.stack)?.published == jobs, "no job came of it");
    Ok(())
}

async fn withdrawal(world: &World) -> Result<()> {
    let url = world.strava(&format!("/_sim/athletes/{ATHLETE}/deauthorize"));
    world.user.post_url(&url, &json!({})).await?;
    wait("everything to be deleted", PATIENCE, async || Ok(world.user.activities().await? == 230))
        .await?;
    let athlete = &world.athletes[0];
    for table in ["activities", "strava_connections", "sync_runs", "webhook_events"] {
        let rows = format!("SELECT count(*) FROM {table} WHERE athlete_id = '{athlete}'");
        ensure!(world.count(&rows)? == 0, "{table}");
    }
    let left = world.user.get(&format!("/v1/athletes/{athlete}")).await?;
    ensure!(left["athlete"]["connectionState"] == "CONNECTION_STATE_NONE", "{left}");
    let rest = world.user.get(&format!("/v1/totals?athleteId={}", world.athletes[1])).await?;
    ensure!(rest["activities"] == "230", "{rest}");
    // The same athlete may come back.
    world.user.consent(athlete, 0).await?;
    wait("the activities to come back", PATIENCE, async || {
        Ok(world.user.activities().await? == 460)
    })
    .await?;
    world.settled().await?;
    verify::verify(&world.stack, &world.user, &world.athletes).await.map(drop)
}
