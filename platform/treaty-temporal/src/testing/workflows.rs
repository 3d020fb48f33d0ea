//! A workflow client that lives in memory: it records what was asked of it and
//! answers with results that the test has set.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::activity::{decode, encode};
use crate::{
    Error, OnConflict, RunRef, ScheduleRequest, ScheduleRun, ScheduleStatus, StartRequest,
    WorkflowClient, WorkflowContract,
};

/// Workflows that only exist on paper. Clone an `Arc` of it into a
/// [`Starter`](crate::Starter) and look at what it was asked.
#[derive(Debug, Default)]
pub struct InMemoryWorkflows {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    started: Vec<StartRequest>,
    running: BTreeMap<String, String>,
    /// By workflow type, and by workflow id, which counts first.
    results: HashMap<&'static str, Scripted>,
    results_of: HashMap<String, Scripted>,
    schedules: BTreeMap<String, (ScheduleRequest, ScheduleStatus)>,
}

/// How a run ends.
#[derive(Clone, Debug)]
enum Scripted {
    Answers(Value),
    Fails { message: String, kind: Option<String> },
}

impl InMemoryWorkflows {
    /// No workflows, no schedules, no results.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what every run of the workflow `C` answers. Without it, waiting for a
    /// result is [`Error::WorkflowNotFound`].
    ///
    /// # Errors
    /// [`Error::Payload`] when the output cannot be encoded.
    pub fn answer<C: WorkflowContract>(&self, output: &C::Output) -> Result<(), Error> {
        let output = encode(C::SPEC.name, output)?;
        self.state().results.insert(C::SPEC.name, Scripted::Answers(output));
        Ok(())
    }

    /// Sets what the runs of this workflow id answer, whatever others of the type do.
    ///
    /// # Errors
    /// [`Error::Payload`] when the output cannot be encoded.
    pub fn answer_for<C: WorkflowContract>(
        &self,
        workflow_id: impl Into<String>,
        output: &C::Output,
    ) -> Result<(), Error> {
        let output = encode(C::SPEC.name, output)?;
        self.state().results_of.insert(workflow_id.into(), Scripted::Answers(output));
        Ok(())
    }

    /// Lets every run of the workflow `C` fail as with an activity's failure.
    pub fn fail<C: WorkflowContract>(&self, error: &treaty_error::Error) {
        self.state().results.insert(C::SPEC.name, Scripted::failure(error));
    }

    /// Lets the runs of this workflow id fail, whatever others of the type do.
    pub fn fail_for(&self, workflow_id: impl Into<String>, error: &treaty_error::Error) {
        self.state().results_of.insert(workflow_id.into(), Scripted::failure(error));
    }

    /// What the workflow `C` was started with, by workflow id, in order.
    ///
    /// # Errors
    /// [`Error::Payload`] when an input does not fit the type.
    pub fn inputs<C: WorkflowContract>(&self) -> Result<Vec<(String, C::Input)>, Error> {
        let started = self.started().into_iter().filter(|start| start.workflow == C::SPEC);
        started.map(|start| Ok((start.workflow_id, decode(C::SPEC.name, start.input)?))).collect()
    }

    /// What was started, in order, by starters and by triggered schedules.
    #[must_use]
    pub fn started(&self) -> Vec<StartRequest> {
        self.state().started.clone()
    }

    /// The schedule as it was last put.
    #[must_use]
    pub fn scheduled(&self, id: &str) -> Option<ScheduleRequest> {
        self.state().schedules.get(id).map(|(request, _)| request.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere has left the records as they were.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_schedule<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut ScheduleStatus) -> T,
    ) -> Result<T, Error> {
        match self.state().schedules.get_mut(id) {
            Some((_, status)) => Ok(change(status)),
            None => Err(Error::ScheduleNotFound { schedule_id: id.to_owned() }),
        }
    }
}

impl Scripted {
    fn failure(error: &treaty_error::Error) -> Self {
        let kind = Some(error.code().as_str().to_owned());
        Self::Fails { message: error.message().to_owned(), kind }
    }
}

impl State {
    fn start(&mut self, request: StartRequest) -> RunRef {
        let run_id = format!("run-{}", self.started.len() + 1);
        let run = RunRef {
            workflow: request.workflow.name,
            workflow_id: request.workflow_id.clone(),
            run_id: Some(run_id.clone()),
        };
        self.running.insert(request.workflow_id.clone(), run_id);
        self.started.push(request);
        run
    }

    fn stop(&mut self, run: &RunRef) -> Result<(), Error> {
        match self.running.remove(&run.workflow_id) {
            Some(_) => Ok(()),
            None => Err(Error::WorkflowNotFound { workflow_id: run.workflow_id.clone() }),
        }
    }
}

#[async_trait]
impl WorkflowClient for InMemoryWorkflows {
    async fn start(&self, request: StartRequest) -> Result<RunRef, Error> {
        let mut state = self.state();
        let workflow_id = request.workflow_id.clone();
        match (state.running.get(&workflow_id).cloned(), request.on_conflict) {
            (None, _) => Ok(state.start(request)),
            (Some(run_id), OnConflict::Fail) => {
                Err(Error::AlreadyStarted { workflow_id, run_id: Some(run_id) })
            }
            (Some(run_id), OnConflict::UseExisting) => {
                Ok(RunRef { workflow: request.workflow.name, workflow_id, run_id: Some(run_id) })
            }
        }
    }

    async fn result(&self, run: &RunRef) -> Result<Value, Error> {
        let mut state = self.state();
        let workflow_id = run.workflow_id.clone();
        let scripted = state.results_of.get(&workflow_id);
        let Some(scripted) = scripted.or_else(|| state.results.get(run.workflow)).cloned() else {
            return Err(Error::WorkflowNotFound { workflow_id });
        };
        state.running.remove(&workflow_id);
        match scripted {
            Scripted::Answers(answer) => Ok(answer),
            Scripted::Fails { message, kind } => {
                Err(Error::WorkflowFailed { workflow_id, message, kind })
            }
        }
    }

    async fn cancel(&self, run: &RunRef, _reason: &str) -> Result<(), Error> {
        self.state().stop(run)
    }

    async fn terminate(&self, run: &RunRef, _reason: &str) -> Result<(), Error> {
        self.state().stop(run)
    }

    async fn put_schedule(&self, request: ScheduleRequest) -> Result<(), Error> {
        let mut state = self.state();
        let id = request.schedule.id.clone();
        let mut status = match state.schedules.remove(&id) {
            Some((_, status)) => status,
            None => ScheduleStatus { paused: request.schedule.start_paused, ..Default::default() },
        };
        let schedule = &request.schedule;
        status.paused = schedule.paused.unwrap_or(status.paused);
        status.every = Some(schedule.every);
        status.offset = schedule.offset;
        status.jitter = schedule.jitter;
        status.catchup_window = schedule.catchup_window;
        status.note.clone_from(&request.schedule.note);
        state.schedules.insert(id, (request, status));
        Ok(())
    }

    async fn trigger_schedule(&self, id: &str) -> Result<(), Error> {
        let mut state = self.state();
        let Some((request, status)) = state.schedules.get(id).cloned() else {
            return Err(Error::ScheduleNotFound { schedule_id: id.to_owned() });
        };
        let start = StartRequest {
            workflow: request.workflow,
            workflow_id: format!("{id}-{}", status.started + 1),
            on_conflict: OnConflict::Fail,
            input: request.input,
        };
        let run = state.start(start);
        if let Some((_, status)) = state.schedules.get_mut(id) {
            status.started += 1;
            status.recent.push(ScheduleRun {
                workflow_id: run.workflow_id,
                run_id: run.run_id.unwrap_or_default(),
                started_at: None,
            });
        }
        Ok(())
    }

    async fn pause_schedule(&self, id: &str, note: &str) -> Result<(), Error> {
        self.with_schedule(id, |status| {
            status.paused = true;
            status.note = note.to_owned();
        })
    }

    async fn resume_schedule(&self, id: &str, note: &str) -> Result<(), Error> {
        self.with_schedule(id, |status| {
            status.paused = false;
            status.note = note.to_owned();
        })
    }

    async fn describe_schedule(&self, id: &str) -> Result<ScheduleStatus, Error> {
        self.with_schedule(id, |status| status.clone())
    }

    async fn delete_schedule(&self, id: &str) -> Result<(), Error> {
        match self.state().schedules.remove(id) {
            Some(_) => Ok(()),
            None => Err(Error::ScheduleNotFound { schedule_id: id.to_owned() }),
        }
    }
}
