//! The composition root: what is made of what.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use treaty_error::{Code, Error};
use treaty_service::health::Component;
use treaty_service::{Health, Metrics, Shutdown};
use treaty_temporal::{ActivityContract as _, Worker, WorkflowContract as _, WorkflowSpec};
use worker_port::sync_v1::dispatch_service::{
    AwaitSync, BackfillAthlete, DispatchSyncs, PublishSyncJob, PublishSyncJobs, ReconcileSyncs,
    TASK_QUEUE,
};
use worker_port::{Clients, Publishers, Starters};

use crate::activities::{SingleJobPublisher, SyncJobPublisher, SyncWatch};
use crate::config::Config;
use crate::schedules::Schedules;
use crate::workflows::{BackfillAthleteWorkflow, DispatchSyncsWorkflow, ReconcileSyncsWorkflow};

/// The workflows that this service runs.
const WORKFLOWS: &[&WorkflowSpec] =
    &[DispatchSyncs::SPEC, ReconcileSyncs::SPEC, BackfillAthlete::SPEC];

/// How often readiness looks at the connections.
const READINESS_INTERVAL: Duration = Duration::from_secs(2);

/// How long Temporal may take to say that it is there.
const READINESS_PATIENCE: Duration = Duration::from_secs(2);

/// The worker at work.
#[derive(Debug)]
pub struct App {
    schedules: Schedules,
}

impl App {
    /// Starts the tasks of the worker. They end when `shutdown` begins, after the activities that
    /// are running or when their time is over.
    ///
    /// Health is answered from the start, so that a process that still waits for Temporal is alive
    /// but not ready.
    ///
    /// # Errors
    /// When something that it stands on cannot be reached or used.
    pub async fn start(
        config: Config,
        health_listener: TcpListener,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let clients = Clients::connect(&config.peers)?;
        Self::start_with(config, clients, health_listener, shutdown).await
    }

    /// As [`start`](Self::start), with clients of the caller's.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with(
        config: Config,
        clients: Clients,
        health_listener: TcpListener,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let health = Health::new();
        let ready = Readiness {
            nats: health.component("nats"),
            temporal: health.component("temporal"),
            schedule: health.component("schedule"),
        };
        shutdown.spawn("health", health.serve(health_listener, shutdown.token()));

        let metrics = Metrics::new();
        config.metrics.serve(&metrics, shutdown).await.map_err(cannot_listen)?;

        let mut nats = config.nats.clone();
        nats.name.get_or_insert_with(|| "worker".to_owned());
        let nats = treaty_nats::connect(&nats).await?;
        nats.ensure_streams(worker_port::STREAMS).await?;
        let temporal = treaty_temporal::connect(&config.temporal).await?;

        if config.temporal.register_search_attributes {
            temporal.register_search_attributes(WORKFLOWS).await?;
        }
        spawn_workers(&config, &clients, &nats, &temporal, shutdown)?;
        let starters = Starters::new(Arc::new(temporal.clone()));
        let schedules = Schedules::put(&config.schedule, &config.reconcile, &starters).await?;
        ready.schedule.set_ready(true);
        ready.watch(nats, temporal, shutdown);
        Ok(Self { schedules })
    }

    /// The schedules that start workflows.
    #[must_use]
    pub fn schedules(&self) -> &Schedules {
        &self.schedules
    }
}

fn cannot_listen(error: std::io::Error) -> Error {
    Error::new(Code::Unavailable, "the metrics have no address").with_source(error)
}

/// Starts a worker for each task queue.
fn spawn_workers(
    config: &Config,
    clients: &Clients,
    nats: &treaty_nats::Connection,
    temporal: &treaty_temporal::Connection,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let dispatch = dispatch_worker(config, clients, nats)?;
    let (connection, stop) = (temporal.clone(), shutdown.token().cancelled_owned());
    shutdown.spawn("temporal worker", async move { dispatch.run(&connection, stop).await });
    Ok(())
}

fn dispatch_worker(
    config: &Config,
    clients: &Clients,
    nats: &treaty_nats::Connection,
) -> Result<Worker, Error> {
    let jobs = Arc::new(Publishers::new(nats).sync_athlete);
    let athletes = || Arc::clone(&clients.athletes);
    let many = SyncJobPublisher::new(athletes(), jobs.clone(), config.publishers);
    let watch = SyncWatch::new(athletes(), Arc::clone(&clients.sync));
    let activities = &[PublishSyncJobs::SPEC, PublishSyncJob::SPEC, AwaitSync::SPEC];
    Ok(Worker::new(TASK_QUEUE, config.worker.clone())
        .declare(WORKFLOWS, activities)
        .workflow::<DispatchSyncs, DispatchSyncsWorkflow>()?
        .workflow::<ReconcileSyncs, ReconcileSyncsWorkflow>()?
        .workflow::<BackfillAthlete, BackfillAthleteWorkflow>()?
        .activity::<PublishSyncJobs, _>(Arc::new(many))?
        .activity::<PublishSyncJob, _>(Arc::new(SingleJobPublisher::new(athletes(), jobs)))?
        .activity::<AwaitSync, _>(Arc::new(watch))?)
}

/// What readiness depends on.
struct Readiness {
    nats: Component,
    temporal: Component,
    schedule: Component,
}

impl Readiness {
    fn watch(
        self,
        nats: treaty_nats::Connection,
        temporal: treaty_temporal::Connection,
        shutdown: &Shutdown,
    ) {
        let token = shutdown.token();
        shutdown.spawn("readiness", async move {
            loop {
                self.nats.set_ready(nats.is_connected());
                let reached = timeout(READINESS_PATIENCE, temporal.check()).await;
                self.temporal.set_ready(matches!(reached, Ok(Ok(()))));
                tokio::select! {
                    () = token.cancelled() => return Ok::<(), Error>(()),
                    () = tokio::time::sleep(READINESS_INTERVAL) => {}
                }
            }
        });
    }
}
