//! One trace from whoever starts a workflow to the attempts of its activities, on a real server.

use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::runtime::Runtime;
use tracing::Instrument as _;
use treaty_telemetry::{Guard, LogConfig, TracesConfig, context};
use treaty_temporal::{Connection, RunRef, ScheduleSpec, WorkflowContract as _};

use crate::contracts::{Composer, Greet};
use crate::server::{World, eventually, request};

/// Traces of this process, whose collector never answers: what is exported is not looked at here.
fn traced() {
    static TRACED: OnceLock<(Runtime, TcpListener, Guard)> = OnceLock::new();
    TRACED.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let traces =
            TracesConfig { endpoint: Some(endpoint.parse().unwrap()), ..Default::default() };
        let runtime = Runtime::new().unwrap();
        let log = LogConfig { filter: "off".to_owned(), ..LogConfig::default() };
        let guard = treaty_telemetry::init("specimen", &log, &traces, runtime.handle()).unwrap();
        (runtime, listener, guard)
    });
}

fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_in_the_trace_of_whoever_started_the_workflow() {
    traced();
    let world = World::new().await;
    let composer = Arc::new(Composer::new());
    let worker = world.work(&composer);

    let request_span = tracing::info_span!("request", otel.kind = "server");
    let asked = request_span.in_scope(context::traceparent).unwrap();
    let flaky = request("flaky");
    let greeting = world.starter.execute("greet-traced", &flaky);
    assert_eq!(greeting.instrument(request_span).await.unwrap().attempts, 2);

    let traces = composer.traces.lock().unwrap().clone();
    assert_eq!(traces.len(), 2);
    assert!(traces.iter().all(|trace| trace_id(trace) == trace_id(&asked)), "{asked} {traces:?}");
    assert_ne!(traces[0], traces[1], "each attempt has a span of its own");
    worker.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_nobody_asked_for_has_one_trace_and_what_goes_on_for_it_another() {
    traced();
    let world = World::new().await;
    let composer = Arc::new(Composer::new());
    let worker = world.work(&composer);
    let weekly = ScheduleSpec::every("greet-weekly", Duration::from_secs(604_800));
    let schedule = world.starter.schedule(weekly, &request("again")).await.unwrap();
    schedule.trigger().await.unwrap();
    let first = eventually("the schedule starts a workflow", || async {
        schedule.describe().await.unwrap().recent.first().cloned()
    })
    .await;
    let run = world.starter.run(first.workflow_id.clone(), Some(first.run_id.clone()));
    assert_eq!(run.result().await.unwrap().attempts, 2);

    // One attempt of the first run, and two of the run that went on for it.
    let traces = composer.traces.lock().unwrap().clone();
    let ids: Vec<_> = traces.iter().map(|trace| trace_id(trace)).collect();
    assert_eq!(ids.len(), 3);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[1], ids[2]);
    let headers = started_with(&world.connection, &first.workflow_id).await;
    assert_eq!(headers["_tracer-data"], Value::Null);
    let cause = headers["treaty-caused-by"]["data"].as_str().unwrap();
    let cause: Value = serde_json::from_slice(&BASE64_STANDARD.decode(cause).unwrap()).unwrap();
    assert_eq!(trace_id(cause["traceparent"].as_str().unwrap()), ids[0], "it refers to the first");
    schedule.delete().await.unwrap();
    worker.finish().await;
}

/// The headers of the latest run of this workflow.
async fn started_with(connection: &Connection, workflow_id: &str) -> Value {
    let latest =
        RunRef { workflow: Greet::SPEC.name, workflow_id: workflow_id.to_owned(), run_id: None };
    let history: Value =
        serde_json::from_slice(&connection.history(&latest).await.unwrap()).unwrap();
    let started = &history["events"][0]["workflowExecutionStartedEventAttributes"];
    started["header"]["fields"].clone()
}
