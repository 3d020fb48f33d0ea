//! Starting workflows of one type.

use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::Value;

use crate::{
    Error, NamedWorkflow, OnConflict, RunRef, ScheduleHandle, ScheduleRequest, ScheduleSpec,
    StartRequest, WorkflowClient, WorkflowContract,
};

/// Starts, awaits and schedules the workflow `C`. Cheap to clone.
pub struct Starter<C> {
    client: Arc<dyn WorkflowClient>,
    contract: PhantomData<fn() -> C>,
}

impl<C> Clone for Starter<C> {
    fn clone(&self) -> Self {
        Self { client: Arc::clone(&self.client), contract: PhantomData }
    }
}

impl<C: WorkflowContract> std::fmt::Debug for Starter<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Starter").field("workflow", &C::SPEC.name).finish_non_exhaustive()
    }
}

impl<C: WorkflowContract> Starter<C> {
    /// A starter over a connection, or over a client in memory.
    pub fn new(client: Arc<dyn WorkflowClient>) -> Self {
        Self { client, contract: PhantomData }
    }

    /// Starts the workflow.
    ///
    /// # Errors
    /// [`Error::AlreadyStarted`] when the id is running, [`Error::Invalid`],
    /// [`Error::Payload`], [`Error::Call`].
    pub async fn start(
        &self,
        workflow_id: impl Into<String>,
        input: &C::Input,
    ) -> Result<WorkflowRun<C>, Error> {
        self.start_or(OnConflict::Fail, workflow_id.into(), input).await
    }

    /// Starts the workflow, or joins the one that is running under the same id.
    ///
    /// # Errors
    /// [`Error::Payload`], [`Error::Call`].
    pub async fn start_or_join(
        &self,
        workflow_id: impl Into<String>,
        input: &C::Input,
    ) -> Result<WorkflowRun<C>, Error> {
        self.start_or(OnConflict::UseExisting, workflow_id.into(), input).await
    }

    async fn start_or(
        &self,
        on_conflict: OnConflict,
        workflow_id: String,
        input: &C::Input,
    ) -> Result<WorkflowRun<C>, Error> {
        let input = encode::<C>(input)?;
        let request = StartRequest { workflow: C::SPEC, workflow_id, on_conflict, input };
        let run = self.client.start(request).await?;
        Ok(WorkflowRun { client: Arc::clone(&self.client), run, contract: PhantomData })
    }

    /// Starts the workflow and waits for its result.
    ///
    /// # Errors
    /// As [`Starter::start`] and [`WorkflowRun::result`].
    pub async fn execute(
        &self,
        workflow_id: impl Into<String>,
        input: &C::Input,
    ) -> Result<C::Output, Error> {
        self.start(workflow_id, input).await?.result().await
    }

    /// A run that somebody else started, such as a schedule; without a run id the
    /// latest of that workflow id. Nothing is asked of the server yet.
    #[must_use]
    pub fn run(&self, workflow_id: impl Into<String>, run_id: Option<String>) -> WorkflowRun<C> {
        let run = RunRef { workflow: C::SPEC.name, workflow_id: workflow_id.into(), run_id };
        WorkflowRun { client: Arc::clone(&self.client), run, contract: PhantomData }
    }

    /// Creates the schedule, or makes the existing one equal to `schedule`: safe
    /// to call at every start of every replica.
    ///
    /// # Errors
    /// [`Error::Payload`], [`Error::Call`].
    pub async fn schedule(
        &self,
        schedule: ScheduleSpec,
        input: &C::Input,
    ) -> Result<ScheduleHandle, Error> {
        let handle = self.schedule_handle(schedule.id.clone());
        let input = encode::<C>(input)?;
        self.client.put_schedule(ScheduleRequest { workflow: C::SPEC, schedule, input }).await?;
        Ok(handle)
    }

    /// A schedule that exists. Nothing is asked of the server yet.
    #[must_use]
    pub fn schedule_handle(&self, id: impl Into<String>) -> ScheduleHandle {
        ScheduleHandle::new(Arc::clone(&self.client), id.into())
    }
}

impl<C: NamedWorkflow> Starter<C> {
    /// Starts the workflow under the id that its contract makes of the input, or joins
    /// the one that is running under it.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Payload`], [`Error::Call`].
    pub async fn join(&self, input: &C::Input) -> Result<WorkflowRun<C>, Error> {
        self.start_or_join(C::workflow_id(input), input).await
    }
}

/// A run of the workflow `C`.
pub struct WorkflowRun<C> {
    client: Arc<dyn WorkflowClient>,
    run: RunRef,
    contract: PhantomData<fn() -> C>,
}

impl<C> std::fmt::Debug for WorkflowRun<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WorkflowRun").field(&self.run).finish()
    }
}

impl<C: WorkflowContract> WorkflowRun<C> {
    /// The id.
    #[must_use]
    pub fn workflow_id(&self) -> &str {
        &self.run.workflow_id
    }

    /// The run, where it is known.
    #[must_use]
    pub fn run_id(&self) -> Option<&str> {
        self.run.run_id.as_deref()
    }

    /// Waits for the workflow to end.
    ///
    /// # Errors
    /// [`Error::WorkflowFailed`] and [`Error::WorkflowEnded`] when it ended without
    /// a result, [`Error::WorkflowNotFound`], [`Error::Payload`], [`Error::Call`].
    pub async fn result(&self) -> Result<C::Output, Error> {
        let value = self.client.result(&self.run).await?;
        serde_json::from_value(value).map_err(|error| Error::Payload {
            name: C::SPEC.name.to_owned(),
            action: "decoded",
            source: error.into(),
        })
    }

    /// Asks the workflow to stop, which it may take time to do.
    ///
    /// # Errors
    /// [`Error::WorkflowNotFound`], [`Error::Call`].
    pub async fn cancel(&self, reason: &str) -> Result<(), Error> {
        self.client.cancel(&self.run, reason).await
    }

    /// Ends the workflow at once, without asking it.
    ///
    /// # Errors
    /// [`Error::WorkflowNotFound`], [`Error::Call`].
    pub async fn terminate(&self, reason: &str) -> Result<(), Error> {
        self.client.terminate(&self.run, reason).await
    }
}

fn encode<C: WorkflowContract>(input: &C::Input) -> Result<Value, Error> {
    let name = || C::SPEC.name.to_owned();
    treaty_validate::validate(input).map_err(|source| Error::Invalid { name: name(), source })?;
    serde_json::to_value(input).map_err(|error| Error::Payload {
        name: name(),
        action: "encoded",
        source: error.into(),
    })
}
