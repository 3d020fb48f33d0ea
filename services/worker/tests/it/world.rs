//! The whole worker in this process, on real servers.

use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use treaty_service::Shutdown;
use treaty_temporal::{RunRef, ScheduleHandle, ScheduleRun, Starter, WorkflowContract};
use worker::app::App;

use crate::api::Api;
use crate::servers::{Arrived, PATIENCE, Servers, eventually};

pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) app: App,
    pub(crate) arrived: Arrived,
    pub(crate) temporal: treaty_temporal::Connection,
    pub(crate) servers: Servers,
    shutdown: Shutdown,
}

impl World {
    /// A worker with these keys of configuration, over this api.
    pub(crate) async fn start(api: Api, config: Value) -> Self {
        let servers = Servers::start().await;
        let arrived = Arrived::collect(servers.nats().await);
        let temporal = servers.temporal().await;
        let (app, shutdown) = app(&servers, &api, config).await;
        Self { api, app, arrived, temporal, servers, shutdown }
    }

    pub(crate) fn starter<C: WorkflowContract>(&self) -> Starter<C> {
        Starter::new(Arc::new(self.temporal.clone()))
    }

    /// Triggers a schedule and waits until the workflow has ended. It is the `number`th of the
    /// schedule.
    pub(crate) async fn run<C: WorkflowContract>(
        &self,
        schedule: &ScheduleHandle,
        number: usize,
    ) -> (ScheduleRun, C::Output) {
        schedule.trigger().await.unwrap();
        let runs = async || schedule.describe().await.unwrap().recent;
        eventually("the schedule starts a workflow", async || runs().await.len() == number).await;
        let run = runs().await.pop().unwrap();
        let started = self.starter::<C>().run(run.workflow_id.clone(), Some(run.run_id.clone()));
        let done = tokio::time::timeout(PATIENCE, started.result()).await.unwrap().unwrap();
        (run, done)
    }

    pub(crate) async fn stop(self) {
        self.shutdown.trigger();
        self.shutdown.wait(PATIENCE).await.unwrap();
        self.arrived.stop().await;
    }
}

/// A worker's run, until the shutdown is triggered.
pub(crate) async fn app(servers: &Servers, api: &Api, config: Value) -> (App, Shutdown) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shutdown = Shutdown::new();
    let app =
        App::start_with(servers.config(config), api.clients(), listener, &shutdown).await.unwrap();
    (app, shutdown)
}

pub(crate) fn reference<C: WorkflowContract>(run: &ScheduleRun) -> RunRef {
    RunRef {
        workflow: C::SPEC.name,
        workflow_id: run.workflow_id.clone(),
        run_id: Some(run.run_id.clone()),
    }
}
