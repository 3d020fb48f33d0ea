//! One trace from a browser's request to the last statement of the job that it caused, and the
//! figures of every service at a Prometheus.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use stack::journey::{User, wait};
use stack::telemetry::{Receiver, Span};
use stack::{Options, Stack};
use testbed::{Prometheus, Tools};

const PATIENCE: Duration = Duration::from_secs(120);

/// From Strava's answer in the browser to the rows of a page.
const CONSENT_TO_COMMIT: &[(&str, &str)] = &[
    ("api", "GET /v1/strava/callback"),
    ("api", "stravasync.connections.v1.ConnectionsService/CompleteConsent"),
    ("api", "send athlete"),
    ("consumer", "process consumer-stravasync-sync-v1-SyncAthlete"),
    ("consumer", "stravasync.activities.v1.ActivitiesService/UpsertActivities"),
    ("api", "stravasync.activities.v1.ActivitiesService/UpsertActivities"),
    ("api", "INSERT activities"),
];

/// What else the first half and the second have below them.
const BESIDE: &[&[(&str, &str)]] = &[
    &[("api", "GET /v1/strava/callback"), ("api", "POST /oauth/token")],
    &[("api", "GET /v1/strava/callback"), ("api", "INSERT outbox")],
    &[("consumer", "process "), ("consumer", "GET /api/v3/athlete/activities")],
    &[("consumer", "process "), ("api", "COMMIT")],
];

/// From a run that a schedule has started to the statement that pages through the athletes.
const DISPATCH: &[(&str, &str)] = &[
    ("worker", "RunWorkflow:DispatchSyncs"),
    ("worker", "RunActivity:PublishSyncJobs"),
    ("worker", "stravasync.athletes.v1.AthletesService/ListAthletes"),
    ("api", "stravasync.athletes.v1.AthletesService/ListAthletes"),
    ("api", "SELECT "),
];

/// Series that every system has once an athlete was synced, by a dispatch too; each above 0.
const SERIES: &[&str] = &[
    r#"http_server_request_duration_seconds_count{http_route="/v1/strava/callback",http_response_status_code="200"}"#,
    r#"rpc_server_call_duration_seconds_count{process="api-1",rpc_method="stravasync.activities.v1.ActivitiesService/UpsertActivities",rpc_status_code="OK"}"#,
    r#"rpc_client_call_duration_seconds_count{process="consumer-1",rpc_method="stravasync.sync.v1.SyncService/EndSync"}"#,
    r#"rpc_client_call_duration_seconds_count{process="worker"}"#,
    r#"http_client_request_duration_seconds_count{process="consumer-1",url_template="/api/v3/athlete/activities"}"#,
    r#"messaging_client_operation_duration_seconds_count{process="api-1",messaging_destination_name="athlete",outcome="published"}"#,
    r#"messaging_process_duration_seconds_count{process="consumer-1",outcome="ack"}"#,
    r#"temporal_activity_duration_seconds_count{process="worker",temporal_activity="PublishSyncJobs",outcome="completed"}"#,
    "nats_messages_acked_total",
    r#"db_client_operation_duration_seconds_count{process="api-1",db_operation_name="INSERT"}"#,
    "db_client_connection_max",
    "strava_quota_limit",
    r#"traces_spans_total{outcome="delivered"}"#,
];

/// Series that say how much of something there is, which may be nothing.
const STATES: &[&str] = &[
    "nats_consumer_pending",
    "nats_messages_redelivered_total",
    "nats_messages_dead_lettered_total",
    "nats_consumer_rebuilds_total",
    "outbox_messages_waiting",
    "outbox_oldest_age_seconds",
    r#"db_client_connection_count{state="used"}"#,
    "strava_quota_used",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_followed_to_its_last_statement_and_all_is_measured() -> Result<()> {
    let receiver = Receiver::start()?;
    let options = Options {
        athletes: 1,
        activities_per_athlete: 30,
        consumers: 1,
        dispatch_every: Duration::from_secs(5),
        settings: receiver.settings(),
        ..Options::default()
    };
    let (stack, directory) = crate::start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;
    user.join_all(1).await?;
    let followed = follows(&receiver).await;
    if followed.is_err() {
        receiver.traces().iter().for_each(|trace| println!("{trace}"));
    }
    followed?;
    believes_who_is_known(&stack, &receiver).await?;
    keeps_secrets(&receiver.spans(), stack.operator_token());
    measures(&stack).await?;
    stack.stop();
    directory.succeeded()
}

async fn follows(receiver: &Receiver) -> Result<()> {
    wait("a trace from consent to commit", PATIENCE, async || {
        let traces = receiver.traces();
        let whole = traces.iter().find(|trace| trace.has_chain(CONSENT_TO_COMMIT));
        Ok(whole.is_some_and(|trace| BESIDE.iter().all(|chain| trace.has_chain(chain))))
    })
    .await?;
    wait("a trace from a scheduled run to its last statement", PATIENCE, async || {
        Ok(receiver.traces().iter().any(|trace| {
            trace.has_chain(DISPATCH) && trace.spans().iter().any(|span| span.parent_id.is_empty())
        }))
    })
    .await?;
    // A job of a dispatch has a trace of its own, which refers to that of the activity.
    wait("a job that refers to the dispatch that published it", PATIENCE, async || {
        let spans = receiver.spans();
        let dispatches: BTreeSet<_> = spans
            .iter()
            .filter(|span| span.service == "worker" && span.name == "RunActivity:PublishSyncJobs")
            .map(|span| &span.trace_id)
            .collect();
        let is_job = |span: &&Span| span.kind == "consumer" && span.parent_id.is_empty();
        Ok(spans.iter().filter(is_job).any(|job| {
            job.links.iter().any(|link| dispatches.contains(link))
                && !dispatches.contains(&job.trace_id)
        }))
    })
    .await
}

/// A caller who proves who it is goes on in its own trace; who does not is referred to.
async fn believes_who_is_known(stack: &Stack, receiver: &Receiver) -> Result<()> {
    const KNOWN: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const UNKNOWN: &str = "5cf92f3577b34da6a3ce929d0e0e4737";
    let url = format!("http://{}/v1/totals", stack.addresses().http);
    let client = reqwest::Client::new();
    let asking = |trace| client.get(&url).header("traceparent", parent(trace));
    asking(KNOWN).bearer_auth(stack.operator_token()).send().await?.error_for_status()?;
    asking(UNKNOWN).send().await?;
    wait("two requests, one in its caller's trace", PATIENCE, async || {
        let spans = receiver.spans();
        let asked = |span: &&Span| span.name == "GET /v1/totals";
        let joined = spans.iter().filter(asked).any(|span| span.trace_id == KNOWN);
        let referred = spans
            .iter()
            .filter(asked)
            .any(|span| span.parent_id.is_empty() && span.links.iter().any(|link| link == UNKNOWN));
        Ok(joined && referred)
    })
    .await?;
    assert!(receiver.spans().iter().all(|span| span.trace_id != UNKNOWN));
    Ok(())
}

fn parent(trace: &str) -> String {
    format!("00-{trace}-00f067aa0ba902b7-01")
}

/// Statements have placeholders, and nothing of a request's body or its credentials is anywhere.
fn keeps_secrets(spans: &[Span], operator_token: &str) {
    let statements = spans.iter().filter_map(|span| span.attributes.get("db.query.text"));
    assert!(statements.filter(|text| text.contains("$1")).count() > 5);
    for span in spans {
        let text = format!("{span:?}");
        for secret in [operator_token, "example.org", "Bearer", "access_token=", "code="] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

async fn measures(stack: &Stack) -> Result<()> {
    let (scraped, directory) = (stack.metrics()?, stack.directory().join("prometheus"));
    let started =
        tokio::task::spawn_blocking(move || Prometheus::start(&Tools::new()?, directory, &scraped));
    let prometheus = started.await??;
    wait("every service to be scraped", PATIENCE, async || {
        Ok(prometheus.query("up == 1")?.len() == 3)
    })
    .await?;
    for query in SERIES {
        wait(query, PATIENCE, async || {
            let series = prometheus.query(query)?;
            Ok(!series.is_empty() && series.iter().any(|(_, value)| *value > 0.0))
        })
        .await?;
    }
    for query in STATES {
        wait(query, PATIENCE, async || Ok(!prometheus.query(query)?.is_empty())).await?;
    }
    // Few values for each label, whatever has happened.
    let series = prometheus.query(r#"count({job="services"})"#)?;
    assert!(series.iter().all(|(_, count)| *count < 3_000.0), "{series:?}");
    Ok(())
}
