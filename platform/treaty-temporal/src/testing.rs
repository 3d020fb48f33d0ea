//! A workflow client that lives in memory: it records what was asked of it and
//! answers with results that the test has set.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;

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
    results: HashMap<&'static str, Value>,
    schedules: BTreeMap<String, (ScheduleRequest, ScheduleStatus)>,
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
        self.state().results.insert(C::SPEC.name, output);
        Ok(())
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

fn encode(name: &str, value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|error| Error::Payload {
        name: name.to_owned(),
        action: "encoded",
        source: error.into(),
    })
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
        let answer = state.results.get(run.workflow).cloned();
        let answer = answer
            .ok_or_else(|| Error::WorkflowNotFound { workflow_id: run.workflow_id.clone() })?;
        state.running.remove(&run.workflow_id);
        Ok(answer)
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
