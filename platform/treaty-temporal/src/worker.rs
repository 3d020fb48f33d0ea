//! Running workflows and activities.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use temporalio_client::Client;
use temporalio_common::WorkflowDefinition;
use temporalio_sdk::runtime::worker_tuner::{FixedSizeSlotSupplier, TunerHolder, WorkerTuner};
use temporalio_sdk::{Runtime, Worker as SdkWorker, WorkerOptions};
use temporalio_workflow::workflows::WorkflowImplementation;
use tokio::sync::oneshot;

use crate::activity::{Implementer, Served};
use crate::{
    ActivityContract, ActivityHandler, ActivitySpec, Connection, DeploymentConfig, Error,
    WorkflowContract, WorkflowSpec, trace, versioning,
};

/// How long an activity that was told to stop may take to do so, at shutdown.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// How a worker works.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// How many activities run at the same time.
    pub max_concurrent_activities: usize,
    /// How many workflow tasks run at the same time.
    pub max_concurrent_workflow_tasks: usize,
    /// How many seconds running activities may go on after shutdown has begun,
    /// before they are told to stop. Five seconds later they are abandoned, and
    /// the server has them run elsewhere.
    pub drain_seconds: u64,
    /// Which version of the code this is. When absent, workers of all versions share the
    /// task queue, and each must replay what the others began.
    pub deployment: Option<DeploymentConfig>,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            max_concurrent_activities: 100,
            max_concurrent_workflow_tasks: 100,
            drain_seconds: 20,
            deployment: None,
        }
    }
}

impl WorkerConfig {
    /// The longest that [`Worker::run`] takes to return after shutdown has begun.
    #[must_use]
    pub fn shutdown_bound(&self) -> Duration {
        Duration::from_secs(self.drain_seconds) + CANCEL_GRACE
    }
}

/// Runs the workflows and activities of one task queue.
pub struct Worker {
    config: WorkerConfig,
    options: WorkerOptions,
    registered: BTreeSet<(Kind, &'static str)>,
    declared: Option<BTreeSet<(Kind, &'static str)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Workflow,
    Activity,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("task_queue", &self.options.task_queue)
            .field("registered", &self.registered)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker without work yet.
    #[must_use]
    pub fn new(task_queue: &str, config: WorkerConfig) -> Self {
        let slots = FixedSizeSlotSupplier::new;
        let tuner: WorkerTuner = TunerHolder::builder()
            .workflow_task_slot_supplier(slots(config.max_concurrent_workflow_tasks))
            .activity_task_slot_supplier(slots(config.max_concurrent_activities))
            .local_activity_task_slot_supplier(slots(config.max_concurrent_activities))
            .nexus_task_slot_supplier(slots(1))
            .build()
            .into();
        let options = WorkerOptions::new(task_queue)
            .tuner(tuner)
            .graceful_shutdown_period(Duration::from_secs(config.drain_seconds))
            .deployment_options(versioning::options(config.deployment.as_ref()))
            .workflow_interceptor(trace::interceptor())
            .build();
        Self { config, options, registered: BTreeSet::new(), declared: None }
    }

    /// Declares what this worker is to run: registration refuses more than that,
    /// and [`Worker::verify`] less.
    #[must_use]
    pub fn declare(
        mut self,
        workflows: &[&'static WorkflowSpec],
        activities: &[&'static ActivitySpec],
    ) -> Self {
        let workflows = workflows.iter().map(|spec| (Kind::Workflow, spec.name));
        let activities = activities.iter().map(|spec| (Kind::Activity, spec.name));
        self.declared = Some(workflows.chain(activities).collect());
        self
    }

    /// Registers `W` as the implementation of the workflow `C`. The types must
    /// agree to compile; write `#[run(name = C::SPEC.name)]` for the name.
    ///
    /// # Errors
    /// [`Error::Registration`] when the name or the task queue is not the
    /// contract's, or when it is registered already.
    pub fn workflow<C, W>(mut self) -> Result<Self, Error>
    where
        C: WorkflowContract,
        W: WorkflowImplementation,
        W::Run: WorkflowDefinition<Input = C::Input, Output = C::Output>,
    {
        if W::name() != C::SPEC.name {
            return Err(self.refuse(format!(
                "workflow {} is implemented under the name {}",
                C::SPEC.name,
                W::name()
            )));
        }
        if C::SPEC.task_queue != self.options.task_queue {
            return Err(self.refuse(format!(
                "workflow {} belongs to task queue {}",
                C::SPEC.name,
                C::SPEC.task_queue
            )));
        }
        self.admit(Kind::Workflow, C::SPEC.name)?;
        let task_queue = self.options.task_queue.clone();
        self.options
            .register_workflow::<W>()
            .map_err(|error| Error::Registration { task_queue, reason: error.to_string() })?;
        Ok(self)
    }

    /// Registers the handler of the activity `C`.
    ///
    /// # Errors
    /// [`Error::Registration`] when it is registered already or not declared.
    pub fn activity<C, H>(mut self, handler: Arc<H>) -> Result<Self, Error>
    where
        C: ActivityContract,
        H: ActivityHandler<C>,
    {
        self.admit(Kind::Activity, C::SPEC.name)?;
        self.options.register_activity::<Served<C, H>>(Arc::new(Implementer(handler)));
        Ok(self)
    }

    /// Checks that everything declared is registered. [`Worker::run`] does so too;
    /// this is for a test that needs no server.
    ///
    /// # Errors
    /// [`Error::Registration`] naming what is missing.
    pub fn verify(&self) -> Result<(), Error> {
        let declared = self.declared.iter().flatten();
        let missing: Vec<_> = declared
            .filter(|entry| !self.registered.contains(entry))
            .map(|(kind, name)| describe(*kind, name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(self.refuse(format!("declared and not registered: {}", missing.join(", "))))
    }

    /// Works until `shutdown` resolves, then takes no more work, lets what is
    /// running finish, and returns within [`WorkerConfig::shutdown_bound`].
    ///
    /// Workflows run on a thread of the worker's own, so that a busy workflow
    /// holds up no other task of the service; activities run on the runtime of the
    /// caller, which must be multi-threaded.
    ///
    /// # Errors
    /// [`Error::Registration`] when something declared is missing,
    /// [`Error::Worker`] when it could not start, stopped by itself, or did not
    /// finish in time.
    pub async fn run(
        self,
        connection: &Connection,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        self.verify()?;
        let runtime = tokio::runtime::Handle::current();
        let task_queue = self.options.task_queue.clone();
        let client = connection.client().clone();
        let (sender, ended) = oneshot::channel();
        let span = tracing::Span::current();
        let thread = std::thread::Builder::new().name(format!("temporal-{task_queue}"));
        let spawned = thread.spawn(move || {
            let _entered = span.enter();
            let outcome = runtime.block_on(self.work(client, shutdown));
            // Nobody listens when `run` was dropped, and then nobody needs to know.
            drop(sender.send(outcome));
        });
        let failed = |reason, source| Error::Worker { task_queue, reason, source };
        match spawned {
            Err(error) => Err(failed("got no thread", Some(error.into()))),
            Ok(_) => match ended.await {
                Ok(outcome) => outcome,
                Err(_) => Err(failed("panicked", None)),
            },
        }
    }

    async fn work(self, client: Client, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let bound = self.config.shutdown_bound();
        let task_queue = self.options.task_queue.clone();
        let failed =
            |reason, source| Error::Worker { task_queue: task_queue.clone(), reason, source };
        let runtime = Runtime::from_current_tokio(Default::default())
            .map_err(|error| failed("could not start", Some(error.into())))?;
        let mut worker = SdkWorker::new(&runtime, client, self.options)
            .map_err(|error| failed("could not start", Some(error.into())))?;
        let begin_shutdown = worker.shutdown_handle();
        tracing::info!(task_queue, registered = ?self.registered, "worker is running");

        let mut running = Box::pin(worker.run());
        tokio::select! {
            outcome = &mut running => {
                return match outcome {
                    Ok(()) => Err(failed("stopped by itself", None)),
                    Err(error) => Err(failed("stopped by itself", Some(error.into()))),
                };
            }
            () = shutdown => begin_shutdown(),
        }
        match tokio::time::timeout(bound, running).await {
            Ok(Ok(())) => {
                tracing::info!(task_queue, "worker has drained");
                Ok(())
            }
            Ok(Err(error)) => Err(failed("failed to shut down", Some(error.into()))),
            Err(elapsed) => Err(failed("did not finish in time", Some(elapsed.into()))),
        }
    }

    fn admit(&mut self, kind: Kind, name: &'static str) -> Result<(), Error> {
        let declared = self.declared.as_ref().is_none_or(|all| all.contains(&(kind, name)));
        if !declared {
            return Err(self.refuse(format!("{} is not declared", describe(kind, name))));
        }
        if !self.registered.insert((kind, name)) {
            return Err(self.refuse(format!("{} is registered twice", describe(kind, name))));
        }
        Ok(())
    }

    fn refuse(&self, reason: String) -> Error {
        Error::Registration { task_queue: self.options.task_queue.clone(), reason }
    }
}

fn describe(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Workflow => format!("workflow {name}"),
        Kind::Activity => format!("activity {name}"),
    }
}
