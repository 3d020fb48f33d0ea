//! A dispatch to very many athletes, by a worker in a process of its own: its history stays short
//! and its memory small. A million athletes with `TREATY_SOAK`.

use std::time::{Duration, Instant};

use serde_json::Value;
use testbed::Memory;
use tokio_util::sync::CancellationToken;
use treaty_temporal::{RunRef, Starter, WorkflowContract as _};
use worker_port::sync_v1::DispatchSyncsRequest;
use worker_port::sync_v1::dispatch_service::DispatchSyncs;

use crate::api::{Api, TOKEN};
use crate::process::{launch, wait_ready};
use crate::servers::{Servers, recorded, stored};

const ATHLETES: usize = 200_000;
const ATHLETES_OF_A_SOAK: usize = 1_000_000;

/// Small numbers, so that the short form goes through several runs too.
const PAGE: i32 = 1000;
const PAGES_PER_ACTIVITY: i32 = 10;
const ACTIVITIES_PER_RUN: i32 = 5;

/// Events of a run. An activity is scheduled, started and completed, and the workflow decides what is
/// next in a task of three events; one more task begins the run, and one event begins and ends it:
/// that makes 35. A busy machine adds tasks that were given out twice; without continuing it were
/// more than 120.
const MOST_EVENTS: usize = 60;

/// Resident memory of the worker at its most.
const MOST_MEMORY: u64 = 64 << 20;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn history_and_memory_stay_small_however_many_athletes_there_are() {
    let soak = std::env::var_os("TREATY_SOAK").is_some();
    let athletes = if soak { ATHLETES_OF_A_SOAK } else { ATHLETES };
    let servers = Servers::start().await;
    let (api, stop) = (Api::with_athletes(athletes), CancellationToken::new());
    let api_address = api.serve(stop.clone()).await.to_string();
    let environment = [
        ("WORKER__PEERS__API__ADDRESS", api_address.as_str()),
        ("WORKER__PEERS__API__TOKEN", TOKEN),
        ("WORKER__SCHEDULE__PAUSED", "true"),
        ("WORKER__RECONCILE__SCHEDULE__PAUSED", "true"),
    ];
    let nats = servers.nats().await;
    let (worker, address) = launch(&servers, &environment);
    wait_ready(address);
    let temporal = servers.temporal().await;
    let starter = Starter::<DispatchSyncs>::new(std::sync::Arc::new(temporal.clone()));
    let request = DispatchSyncsRequest {
        page_size: PAGE,
        pages_per_activity: PAGES_PER_ACTIVITY,
        activities_per_run: ACTIVITIES_PER_RUN,
        progress: None,
    };

    let began = Instant::now();
    let run = starter.start("long", &request).await.unwrap();
    let done = tokio::time::timeout(PATIENCE, run.result()).await.unwrap().unwrap();
    let (took, peak) = (began.elapsed(), Memory::of(worker.pid()).unwrap().peak);

    let expected = u64::try_from(athletes).unwrap();
    assert_eq!((done.published, done.duplicates), (i64::try_from(athletes).unwrap(), 0));
    assert_eq!(stored(&nats).await, expected);
    assert!(peak < MOST_MEMORY, "the worker took {peak} bytes");
    let lengths = lengths(&temporal, run.run_id().unwrap().to_owned()).await;
    let per_run = usize::try_from(PAGE * PAGES_PER_ACTIVITY * ACTIVITIES_PER_RUN).unwrap();
    assert_eq!(lengths.len(), athletes / per_run, "{lengths:?}");
    assert!(lengths.iter().all(|length| *length <= MOST_EVENTS), "{lengths:?}");
    println!(
        "{athletes} jobs in {took:?} and {} runs of at most {} events; worker at most {} MiB",
        lengths.len(),
        lengths.iter().max().unwrap(),
        peak >> 20,
    );
    worker.stop();
    stop.cancel();
}

/// The number of events of each run, from this one on.
async fn lengths(temporal: &treaty_temporal::Connection, first: String) -> Vec<usize> {
    let (mut lengths, mut next) = (Vec::new(), Some(first));
    while let Some(run_id) = next {
        let name = if lengths.is_empty() { "dispatch-continued" } else { "dispatch-continuation" };
        let run = RunRef {
            workflow: DispatchSyncs::SPEC.name,
            workflow_id: "long".to_owned(),
            run_id: Some(run_id),
        };
        let history: Value = recorded(temporal, &run, name).await;
        let events = history["events"].as_array().unwrap();
        lengths.push(events.len());
        let last = &events.last().unwrap()["workflowExecutionContinuedAsNewEventAttributes"];
        next = last["newExecutionRunId"].as_str().map(str::to_owned);
    }
    lengths
}
