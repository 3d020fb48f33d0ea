//! Worker and Temporal server are killed in the middle of pages: each athlete has one job.

use std::collections::BTreeSet;
use std::time::Instant;

use testbed::{Leashed, Signal};
use tokio_util::sync::CancellationToken;
use treaty_temporal::Starter;
use worker_port::sync_v1::DispatchSyncsRequest;
use worker_port::sync_v1::dispatch_service::DispatchSyncs;

use crate::api::{Api, TOKEN, athlete_id};
use crate::process::{launch, wait_ready};
use crate::servers::{Arrived, PATIENCE, Servers, eventually};

const ATHLETES: usize = 12_000;

/// What is different with `TREATY_SOAK`: more kills, and smaller pages, so that an attempt still comes to
/// a checkpoint, which is after twenty pages, between two kills.
#[derive(Clone, Copy)]
struct Form {
    kills: usize,
    page_size: i32,
}

const SHORT: Form = Form { kills: 1, page_size: 25 };
const SOAK: Form = Form { kills: 12, page_size: 5 };

impl Form {
    /// Several activities, in several runs.
    fn request(self) -> DispatchSyncsRequest {
        DispatchSyncsRequest {
            page_size: self.page_size,
            pages_per_activity: 40,
            activities_per_run: 3,
            progress: None,
        }
    }

    /// Pages from one kill to the next.
    fn pages_between(self) -> usize {
        ATHLETES / usize::try_from(self.page_size).unwrap() / (2 * self.kills + 2)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatch_survives_kills_of_worker_and_server_with_one_job_for_each_athlete() {
    let form = if std::env::var_os("TREATY_SOAK").is_some() { SOAK } else { SHORT };
    let mut servers = Servers::start().await;
    let (api, stop) = (Api::gated(ATHLETES), CancellationToken::new());
    let api_address = api.serve(stop.clone()).await.to_string();
    let environment = [
        ("WORKER__PEERS__API__ADDRESS", api_address.as_str()),
        ("WORKER__PEERS__API__TOKEN", TOKEN),
        ("WORKER__SCHEDULE__PAUSED", "true"),
    ];
    let arrived = Arrived::collect(servers.nats().await);
    let (mut worker, address) = launch(&servers, &environment);
    wait_ready(address);
    let starter = Starter::<DispatchSyncs>::new(std::sync::Arc::new(servers.temporal().await));
    let run = starter.start("killed", &form.request()).await.unwrap();
    let kill = |process: &mut Leashed| {
        process.signal(Signal::Kill).unwrap();
        process.wait_ended(PATIENCE).unwrap();
    };

    for _ in 0..form.kills {
        in_mid_page(&api, form).await;
        kill(&mut worker);
        worker = launch(&servers, &environment).0;
        in_mid_page(&api, form).await;
        servers.temporal.crash().unwrap();
        servers.temporal.start_again().unwrap();
    }
    // At last both at once.
    in_mid_page(&api, form).await;
    servers.temporal.crash().unwrap();
    kill(&mut worker);
    servers.temporal.start_again().unwrap();
    worker = launch(&servers, &environment).0;
    let since = Instant::now();
    api.open();

    let jobs = arrived.wait_for(ATHLETES).await;
    println!(
        "{} kills of each and one of both; the last job {:?} after it",
        form.kills,
        since.elapsed()
    );
    let request_id = run.run_id().unwrap();
    let athletes: BTreeSet<_> = jobs
        .iter()
        .map(|job| {
            assert_eq!(job.request_id, request_id);
            job.athlete_id.clone()
        })
        .collect();
    assert_eq!(athletes.len(), jobs.len(), "no athlete has two jobs");
    assert_eq!(athletes, (0..ATHLETES).map(athlete_id).collect());
    let done = tokio::time::timeout(PATIENCE, run.result()).await.unwrap().unwrap();
    // What was published before a kill and again after it is a duplicate.
    assert_eq!(usize::try_from(done.published + done.duplicates).unwrap(), ATHLETES, "{done:?}");
    arrived.stop().await;
    worker.stop();
    stop.cancel();
}

/// Lets some pages through and waits until the next one is asked for and gets no answer.
async fn in_mid_page(api: &Api, form: Form) {
    let (reached, pages) = (api.pages(), form.pages_between());
    api.let_through(pages);
    eventually("the worker is in the middle of a page", async || api.pages() >= reached + pages)
        .await;
}
