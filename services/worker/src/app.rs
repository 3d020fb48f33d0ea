//! The composition root: what is made of what.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use treaty_error::Error;
use treaty_service::health::Component;
use treaty_service::{Health, Shutdown};
use treaty_temporal::{ActivityContract as _, ScheduleHandle, Worker, WorkflowContract as _};
use worker_port::sync_v1::DispatchSyncsRequest;
use worker_port::sync_v1::dispatch_service::{DispatchSyncs, PublishSyncJobs, TASK_QUEUE};
use worker_port::{Clients, Publishers, Starters};

use crate::activities::SyncJobPublisher;
use crate::config::{Config, ScheduleConfig};
use crate::workflows::DispatchSyncsWorkflow;

/// How often readiness looks at the connections.
const READINESS_INTERVAL: Duration = Duration::from_secs(2);

/// How long Temporal may take to say that it is there.
const READINESS_PATIENCE: Duration = Duration::from_secs(2);

/// The worker at work.
#[derive(Debug)]
pub struct App {
    schedule: ScheduleHandle,
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

        let mut nats = config.nats.clone();
        nats.name.get_or_insert_with(|| "worker".to_owned());
        let nats = treaty_nats::connect(&nats).await?;
        nats.ensure_streams(worker_port::STREAMS).await?;
        let temporal = treaty_temporal::connect(&config.temporal).await?;

        spawn_workers(&config, &clients, &nats, &temporal, shutdown)?;
        let starters = Starters::new(Arc::new(temporal.clone()));
        let schedule = schedule(&config.schedule, &starters).await?;
        ready.schedule.set_ready(true);
        ready.watch(nats, temporal, shutdown);
        Ok(Self { schedule })
    }

    /// The schedule that starts the dispatches.
    #[must_use]
    pub fn schedule(&self) -> &ScheduleHandle {
        &self.schedule
    }
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
    let publisher = SyncJobPublisher::new(Arc::clone(&clients.athletes), jobs, config.publishers);
    Ok(Worker::new(TASK_QUEUE, config.worker)
        .declare(&[DispatchSyncs::SPEC], &[PublishSyncJobs::SPEC])
        .workflow::<DispatchSyncs, DispatchSyncsWorkflow>()?
        .activity::<PublishSyncJobs, _>(Arc::new(publisher))?)
}

async fn schedule(config: &ScheduleConfig, starters: &Starters) -> Result<ScheduleHandle, Error> {
    let input = DispatchSyncsRequest { page_size: config.page_size };
    let handle = starters.dispatch_syncs.schedule(config.spec(), &input).await?;
    tracing::info!(schedule = handle.id(), every_seconds = config.every_seconds, "scheduled");
    if config.trigger_on_start {
        handle.trigger().await?;
    }
    Ok(handle)
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

#[cfg(test)]
mod tests {
    use worker_port::testing::in_memory_starters;

    use super::*;

    #[tokio::test]
    async fn the_schedule_is_put_at_each_start_and_triggered_when_asked() {
        let (starters, workflows) = in_memory_starters();
        let config = ScheduleConfig { page_size: 7, trigger_on_start: true, ..Default::default() };

        let handle = schedule(&config, &starters).await.unwrap();
        let again = ScheduleConfig { every_seconds: 60, trigger_on_start: false, ..config };
        schedule(&again, &starters).await.unwrap();

        let started = workflows.inputs::<DispatchSyncs>().unwrap();
        assert_eq!(started.len(), 1);
        assert_eq!(started[0].1, DispatchSyncsRequest { page_size: 7 });
        let kept = workflows.scheduled(handle.id()).unwrap();
        assert_eq!(kept.schedule.every, Duration::from_secs(60));
    }
}
