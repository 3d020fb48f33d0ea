//! The composition root: what is made of what.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use treaty_error::Error;
use treaty_service::health::Component;
use treaty_service::{Health, Shutdown};
use treaty_temporal::{Connection, Worker};
use worker_port::sync_v1::DispatchSyncsRequest;
use worker_port::sync_v1::dispatch_service::{
    DISPATCH_SYNCS, DispatchSyncs, PUBLISH_SYNC_JOBS, PublishSyncJobs, TASK_QUEUE,
};
use worker_port::{Clients, Publishers, Starters};

use crate::activities::PublishSyncJobsActivity;
use crate::config::Config;
use crate::workflows::DispatchSyncsWorkflow;

/// How often readiness looks at NATS and Temporal.
const READINESS_INTERVAL: Duration = Duration::from_secs(1);

/// The worker at work.
#[derive(Debug)]
pub struct App {}

impl App {
    /// Starts the tasks of the worker. They end when `shutdown` begins, after what is at work.
    ///
    /// # Errors
    /// When something that it stands on cannot be reached or used.
    pub async fn start(
        config: Config,
        health_listener: TcpListener,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let health = Health::new();
        let (nats_ready, temporal_ready) = (health.component("nats"), health.component("temporal"));
        shutdown.spawn("health", health.serve(health_listener, shutdown.token()));

        let mut nats_config = config.nats.clone();
        nats_config.name.get_or_insert_with(|| "worker".to_owned());
        let nats = treaty_nats::connect(&nats_config).await?;
        nats.ensure_streams(worker_port::STREAMS).await?;
        let clients = Clients::connect(&config.peers)?;
        let publishers = Publishers::new(&nats);
        let temporal = treaty_temporal::connect(&config.temporal).await?;
        let activity = PublishSyncJobsActivity::new(
            clients.athletes,
            Arc::new(publishers.sync_athlete),
            config.publishers,
        );
        let worker = worker(&config, activity)?;
        spawn_readiness(nats, nats_ready, temporal.clone(), temporal_ready, shutdown);
        put_schedule(&config, &temporal).await?;
        let token = shutdown.token();
        shutdown.spawn("temporal worker", async move {
            worker.run(&temporal, token.cancelled_owned()).await
        });
        Ok(())
    }
}

/// Everything that this deployable is declared to run.
///
/// # Errors
/// When a declared workflow or activity is missing, or a stranger is registered.
pub fn worker(config: &Config, activity: PublishSyncJobsActivity) -> Result<Worker, Error> {
    let worker = Worker::new(TASK_QUEUE, config.worker)
        .declare(&[&DISPATCH_SYNCS], &[&PUBLISH_SYNC_JOBS])
        .workflow::<DispatchSyncs, DispatchSyncsWorkflow>()?
        .activity::<PublishSyncJobs, _>(Arc::new(activity))?;
    worker.verify()?;
    Ok(worker)
}

/// Creates the schedule, or makes the one that is there equal to the configuration.
async fn put_schedule(config: &Config, temporal: &Connection) -> Result<(), Error> {
    let starters = Starters::new(Arc::new(temporal.clone()));
    let request = DispatchSyncsRequest { page_size: config.schedule.page_size };
    starters.dispatch_syncs.schedule(config.schedule.spec(), &request).await?;
    tracing::info!(
        schedule = config.schedule.id,
        every_seconds = config.schedule.every_seconds,
        "scheduled"
    );
    Ok(())
}

fn spawn_readiness(
    nats: treaty_nats::Connection,
    nats_ready: Component,
    temporal: Connection,
    temporal_ready: Component,
    shutdown: &Shutdown,
) {
    let token = shutdown.token();
    shutdown.spawn("readiness", async move {
        loop {
            nats_ready.set_ready(nats.is_connected());
            temporal_ready.set_ready(temporal.check().await.is_ok());
            tokio::select! {
                () = token.cancelled() => return Ok::<(), Error>(()),
                () = tokio::time::sleep(READINESS_INTERVAL) => {}
            }
        }
    });
}
