//! The whole worker on a real Temporal server and a real nats-server.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use treaty_error::{Code, Error};
use treaty_service::Shutdown;
use treaty_temporal::{ScheduleRun, Starter};
use worker::app::App;
use worker::config::Config;
use worker_port::Clients;
use worker_port::sync_v1::dispatch_service::DispatchSyncs;
use worker_port::sync_v1::{DispatchSyncsResponse, SyncAthlete};

use crate::api::{Api, athlete_id};
use crate::servers::{Arrived, PATIENCE, Servers, eventually};

const ATHLETES: usize = 23;

struct World {
    api: Api,
    app: App,
    arrived: Arrived,
    starter: Starter<DispatchSyncs>,
    shutdown: Shutdown,
    _servers: Servers,
}

impl World {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let servers = Servers::start().await;
        let arrived = Arrived::collect(&servers.nats_url).await;
        let api = Api::with_athletes(ATHLETES);
        let config = config(&servers);
        let temporal = treaty_temporal::connect(&config.temporal).await.unwrap();
        let clients = Clients { athletes: Arc::new(api.service()) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shutdown = Shutdown::new();
        let app = App::start_with(config, clients, listener, &shutdown).await.unwrap();
        let starter = Starter::new(Arc::new(temporal));
        Self { api, app, arrived, starter, shutdown, _servers: servers }
    }

    /// Triggers the schedule and waits until the dispatch has ended.
    async fn dispatch(&self, number: usize) -> (ScheduleRun, DispatchSyncsResponse) {
        self.app.schedule().trigger().await.unwrap();
        eventually("the schedule starts a dispatch", async || self.runs().await.len() == number)
            .await;
        let run = self.runs().await.pop().unwrap();
        let dispatch = self.starter.run(run.workflow_id.clone(), Some(run.run_id.clone()));
        let done = tokio::time::timeout(PATIENCE, dispatch.result()).await.unwrap().unwrap();
        (run, done)
    }

    async fn runs(&self) -> Vec<ScheduleRun> {
        self.app.schedule().describe().await.unwrap().recent
    }

    async fn stop(self) {
        self.shutdown.trigger();
        self.shutdown.wait(PATIENCE).await.unwrap();
        self.arrived.stop().await;
    }
}

fn config(servers: &Servers) -> Config {
    let config = json!({
        "nats": {"url": servers.nats_url},
        "temporal": {"address": servers.temporal.address()},
        "peers": {"api": {"address": "127.0.0.1:1", "token": "nobody-listens-there"}},
        // Once a day, and paused: the test alone says when.
        "schedule": {"every_seconds": 86_400, "page_size": 5, "paused_on_create": true},
        "publishers": 4,
    });
    serde_json::from_value(config).unwrap()
}

/// The athletes who got a job with this request id, each once.
fn athletes_of(jobs: &[SyncAthlete], request_id: &str) -> BTreeSet<String> {
    let mut athletes = BTreeSet::new();
    for job in jobs.iter().filter(|job| job.request_id == request_id) {
        assert!(athletes.insert(job.athlete_id.clone()), "two jobs for {}", job.athlete_id);
        assert!(job.request_time.is_some());
    }
    athletes
}

#[tokio::test(flavor = "multi_thread")]
async fn each_dispatch_publishes_one_job_for_each_athlete() {
    let world = World::start().await;
    let all: BTreeSet<String> = (0..ATHLETES).map(athlete_id).collect();
    let everyone = i64::try_from(ATHLETES).unwrap();

    let (first, done) = world.dispatch(1).await;
    assert_eq!(done, DispatchSyncsResponse { published: everyone, duplicates: 0 });
    let jobs = world.arrived.wait_for(ATHLETES).await;
    assert_eq!(athletes_of(&jobs, &first.run_id), all);

    // The second dispatch is another request, although the first was a moment ago.
    let (second, done) = world.dispatch(2).await;
    assert_eq!(done, DispatchSyncsResponse { published: everyone, duplicates: 0 });
    let jobs = world.arrived.wait_for(2 * ATHLETES).await;
    assert_eq!(athletes_of(&jobs, &second.run_id), all);
    assert_ne!(first.run_id, second.run_id);

    // The third loses the api after two pages; its second attempt begins from the first page and
    // finds their jobs in the stream.
    world.api.fail_after(2, Error::new(Code::Unavailable, "the api restarts"));
    let (third, done) = world.dispatch(3).await;
    assert_eq!(done, DispatchSyncsResponse { published: everyone - 10, duplicates: 10 });
    let jobs = world.arrived.wait_for(3 * ATHLETES).await;
    assert_eq!(athletes_of(&jobs, &third.run_id), all);

    world.stop().await;
}
