//! The workflow client that talks to a server.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use temporalio_client::errors::WorkflowStartError;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::schedules::{ScheduleHandle, ScheduleOverlapPolicy};
use temporalio_client::tonic::{Code, IntoRequest, Status};
use temporalio_client::{
    Client, WorkflowCancelOptions, WorkflowExecutionInfo, WorkflowHandle, WorkflowIdConflictPolicy,
    WorkflowStartOptions, WorkflowTerminateOptions,
};
use temporalio_common::data_converters::{SerializationContextData, WorkflowSerializationContext};
use temporalio_common::protos::temporal::api::common::v1::{Payloads, WorkflowType};
use temporalio_common::protos::temporal::api::schedule::v1 as proto;
use temporalio_common::protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_common::protos::temporal::api::workflow::v1::NewWorkflowExecutionInfo;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    CreateScheduleRequest, DescribeScheduleResponse, UpdateScheduleRequest,
};
use temporalio_common::search_attributes::SearchAttributes;
use temporalio_common::{HasWorkflowDefinition, WorkflowDefinition};
use tracing::Instrument as _;
use treaty_telemetry::context;

use crate::refusal::{
    interaction_error, is_conflict, payload, result_error, rpc_error, schedule_error,
};
use crate::{
    Connection, Error, OnConflict, Overlap, RunRef, ScheduleRequest, ScheduleRun, ScheduleStatus,
    StartRequest, WorkflowClient, search, trace,
};

/// How often a schedule is written again after another replica got in between.
const SCHEDULE_ATTEMPTS: usize = 5;

/// A workflow known by its name, with JSON for payloads: the types are checked a
/// layer above.
pub(crate) struct Named(&'static str);

impl WorkflowDefinition for Named {
    type Input = Value;
    type Output = Value;

    fn name(&self) -> &str {
        self.0
    }
}

impl HasWorkflowDefinition for Named {
    type Run = Self;
}

#[async_trait]
impl WorkflowClient for Connection {
    async fn start(&self, request: StartRequest) -> Result<RunRef, Error> {
        let name = request.workflow.name;
        let span = tracing::info_span!(
            "start workflow",
            otel.kind = "client",
            otel.name = context::is_on().then(|| format!("StartWorkflow:{name}")),
            name,
            workflow_id = request.workflow_id,
        );
        self.start_run(request).instrument(span).await
    }

    async fn result(&self, run: &RunRef) -> Result<Value, Error> {
        let outcome = self.handle(run).get_result(Default::default()).await;
        outcome.map_err(|error| result_error(run, error))
    }

    async fn cancel(&self, run: &RunRef, reason: &str) -> Result<(), Error> {
        let options = WorkflowCancelOptions::builder().reason(reason).build();
        let outcome = self.handle(run).cancel(options).await;
        outcome.map_err(|error| interaction_error(run, "cancel a workflow", error))
    }

    async fn terminate(&self, run: &RunRef, reason: &str) -> Result<(), Error> {
        let options = WorkflowTerminateOptions::builder().reason(reason).build();
        let outcome = self.handle(run).terminate(options).await;
        outcome.map_err(|error| interaction_error(run, "terminate a workflow", error))
    }

    async fn put_schedule(&self, request: ScheduleRequest) -> Result<(), Error> {
        let mut schedule = self.schedule_proto(&request).await?;
        let id = &request.schedule.id;
        let mut lost = None;
        for _ in 0..SCHEDULE_ATTEMPTS {
            match self.create_schedule(id, schedule.clone()).await {
                Ok(()) => return Ok(()),
                Err(status) if status.code() == Code::AlreadyExists => {}
                Err(status) => return Err(Error::call("create a schedule", status)),
            }
            match self.update_schedule(id, &mut schedule, request.schedule.paused).await {
                Ok(()) => return Ok(()),
                // Another replica changed or deleted it since it was read.
                Err(error) if is_conflict(&error) => lost = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(lost.unwrap_or_else(|| Error::ScheduleNotFound { schedule_id: id.clone() }))
    }

    async fn trigger_schedule(&self, id: &str) -> Result<(), Error> {
        // Unspecified means the policy of the schedule itself.
        let policy = ScheduleOverlapPolicy::Unspecified;
        let outcome = self.schedule(id).trigger(policy, Default::default()).await;
        outcome.map_err(|error| schedule_error(id, "trigger a schedule", error))
    }

    async fn pause_schedule(&self, id: &str, note: &str) -> Result<(), Error> {
        let outcome = self.schedule(id).pause(Some(note), Default::default()).await;
        outcome.map_err(|error| schedule_error(id, "pause a schedule", error))
    }

    async fn resume_schedule(&self, id: &str, note: &str) -> Result<(), Error> {
        let outcome = self.schedule(id).unpause(Some(note), Default::default()).await;
        outcome.map_err(|error| schedule_error(id, "resume a schedule", error))
    }

    async fn describe_schedule(&self, id: &str) -> Result<ScheduleStatus, Error> {
        let described = self
            .schedule(id)
            .describe(Default::default())
            .await
            .map_err(|error| schedule_error(id, "describe a schedule", error))?;
        let recent = described.recent_actions().into_iter().map(|action| ScheduleRun {
            workflow_id: action.workflow_id,
            run_id: action.run_id,
            started_at: action.actual_time,
        });
        let running = described.running_actions().into_iter().map(|action| ScheduleRun {
            workflow_id: action.workflow_id,
            run_id: action.run_id,
            started_at: None,
        });
        Ok(ScheduleStatus {
            paused: described.paused(),
            note: described.note().unwrap_or_default().to_owned(),
            started: described.action_count(),
            skipped: described.overlap_skipped(),
            missed: described.missed_catchup_window(),
            recent: recent.collect(),
            running: running.collect(),
            next: described.future_action_times(),
            ..timing(described.raw())
        })
    }

    async fn delete_schedule(&self, id: &str) -> Result<(), Error> {
        let outcome = self.schedule(id).delete(Default::default()).await;
        outcome.map_err(|error| schedule_error(id, "delete a schedule", error))
    }
}

impl Connection {
    async fn start_run(&self, request: StartRequest) -> Result<RunRef, Error> {
        let spec = request.workflow;
        let workflow_id = request.workflow_id;
        let options = WorkflowStartOptions::new(spec.task_queue, workflow_id.as_str())
            .id_conflict_policy(match request.on_conflict {
                OnConflict::Fail => WorkflowIdConflictPolicy::Fail,
                OnConflict::UseExisting => WorkflowIdConflictPolicy::UseExisting,
            })
            .maybe_search_attributes(
                search::attributes(spec, &request.input).map(SearchAttributes::from),
            )
            .maybe_execution_timeout(spec.execution_timeout)
            .maybe_run_timeout(spec.run_timeout)
            .maybe_header(trace::headers())
            .build();
        let started = self.client().start_workflow(Named(spec.name), request.input, options).await;
        match started {
            Ok(handle) => Ok(RunRef {
                workflow: spec.name,
                run_id: handle.run_id().map(str::to_owned),
                workflow_id,
            }),
            Err(WorkflowStartError::AlreadyStarted { run_id, .. }) => {
                Err(Error::AlreadyStarted { workflow_id, run_id })
            }
            Err(WorkflowStartError::Rpc(status)) => Err(Error::call("start a workflow", status)),
            Err(error) => Err(payload(spec.name, "encoded", error)),
        }
    }

    pub(crate) fn handle(&self, run: &RunRef) -> WorkflowHandle<Client, Named> {
        let info = WorkflowExecutionInfo::builder()
            .namespace(self.namespace())
            .workflow_id(run.workflow_id.as_str())
            .maybe_run_id(run.run_id.clone())
            .maybe_first_execution_run_id(run.run_id.clone())
            .build();
        WorkflowHandle::new(self.client().clone(), info)
    }

    fn schedule(&self, id: &str) -> ScheduleHandle<Client> {
        self.client().get_schedule_handle(id)
    }

    async fn create_schedule(
        &self,
        id: &str,
        schedule: proto::Schedule,
    ) -> Result<(), Box<Status>> {
        let request = CreateScheduleRequest {
            namespace: self.namespace().to_owned(),
            schedule_id: id.to_owned(),
            schedule: Some(schedule),
            identity: self.client().connection().identity().to_owned(),
            request_id: uuid::Uuid::new_v4().to_string(),
            ..Default::default()
        };
        let mut client = self.client().clone();
        let call = WorkflowService::create_schedule(&mut client, request.into_request()).await;
        call.map(|_| ()).map_err(Box::new)
    }

    /// Replaces the schedule, keeping whether it is paused unless that is given too.
    async fn update_schedule(
        &self,
        id: &str,
        schedule: &mut proto::Schedule,
        paused: Option<bool>,
    ) -> Result<(), Error> {
        let described = self
            .schedule(id)
            .describe(Default::default())
            .await
            .map_err(|error| schedule_error(id, "describe a schedule", error))?;
        if let Some(state) = &mut schedule.state {
            state.paused = paused.unwrap_or_else(|| described.paused());
            // The reason that somebody gave for a pause outlives our restart.
            if state.paused && described.paused() {
                described.note().unwrap_or_default().clone_into(&mut state.notes);
            }
        }
        let request = UpdateScheduleRequest {
            namespace: self.namespace().to_owned(),
            schedule_id: id.to_owned(),
            schedule: Some(schedule.clone()),
            conflict_token: described.conflict_token().to_vec(),
            identity: self.client().connection().identity().to_owned(),
            request_id: uuid::Uuid::new_v4().to_string(),
            ..Default::default()
        };
        let mut client = self.client().clone();
        let call = WorkflowService::update_schedule(&mut client, request.into_request()).await;
        call.map(|_| ()).map_err(|status| rpc_error(id, "update a schedule", status))
    }

    /// The schedule in the server's terms. The SDK's own type is not used because
    /// it cannot carry the workflow's timeouts nor a catch-up window.
    async fn schedule_proto(&self, request: &ScheduleRequest) -> Result<proto::Schedule, Error> {
        let ScheduleRequest { workflow, schedule, input } = request;
        let context = SerializationContextData::Workflow(WorkflowSerializationContext::new());
        let payloads = self
            .client()
            .options()
            .data_converter
            .to_payloads(&context, input)
            .await
            .map_err(|error| payload(workflow.name, "encoded", error))?;
        let start = NewWorkflowExecutionInfo {
            workflow_id: schedule.id.clone(),
            workflow_type: Some(WorkflowType { name: workflow.name.to_owned() }),
            task_queue: Some(TaskQueue {
                name: workflow.task_queue.to_owned(),
                ..Default::default()
            }),
            input: Some(Payloads { payloads }),
            workflow_execution_timeout: workflow.execution_timeout.and_then(to_proto),
            workflow_run_timeout: workflow.run_timeout.and_then(to_proto),
            search_attributes: search::attributes(workflow, input),
            ..Default::default()
        };
        Ok(proto::Schedule {
            spec: Some(proto::ScheduleSpec {
                interval: vec![proto::IntervalSpec {
                    interval: to_proto(schedule.every),
                    phase: schedule.offset.and_then(to_proto),
                }],
                jitter: schedule.jitter.and_then(to_proto),
                ..Default::default()
            }),
            action: Some(proto::ScheduleAction {
                action: Some(proto::schedule_action::Action::StartWorkflow(start)),
            }),
            policies: Some(proto::SchedulePolicies {
                overlap_policy: overlap_proto(schedule.overlap),
                catchup_window: schedule.catchup_window.and_then(to_proto),
                ..Default::default()
            }),
            state: Some(proto::ScheduleState {
                notes: schedule.note.clone(),
                paused: schedule.paused.unwrap_or(schedule.start_paused),
                ..Default::default()
            }),
        })
    }
}

/// What the server keeps of the spec, which the SDK's description leaves out in part.
fn timing(described: &DescribeScheduleResponse) -> ScheduleStatus {
    let schedule = described.schedule.as_ref();
    let spec = schedule.and_then(|schedule| schedule.spec.as_ref());
    let interval = spec.and_then(|spec| spec.interval.first());
    let policies = schedule.and_then(|schedule| schedule.policies.as_ref());
    ScheduleStatus {
        every: interval.and_then(|interval| from_proto(interval.interval.as_ref())),
        offset: interval.and_then(|interval| from_proto(interval.phase.as_ref())),
        jitter: spec.and_then(|spec| from_proto(spec.jitter.as_ref())),
        catchup_window: policies.and_then(|all| from_proto(all.catchup_window.as_ref())),
        ..ScheduleStatus::default()
    }
}

/// A positive duration of the server's.
fn from_proto<T: Clone>(duration: Option<&T>) -> Option<Duration>
where
    Duration: TryFrom<T>,
{
    let duration = Duration::try_from(duration?.clone()).ok()?;
    (!duration.is_zero()).then_some(duration)
}

fn overlap_proto(overlap: Overlap) -> i32 {
    use temporalio_common::protos::temporal::api::enums::v1::ScheduleOverlapPolicy as Policy;
    let policy = match overlap {
        Overlap::Skip => Policy::Skip,
        Overlap::BufferOne => Policy::BufferOne,
        Overlap::AllowAll => Policy::AllowAll,
    };
    policy as i32
}

/// A duration in the server's terms. Generic because the message type belongs to
/// the SDK; only durations beyond 10,000 years have none.
fn to_proto<T: TryFrom<Duration>>(duration: Duration) -> Option<T> {
    T::try_from(duration).ok()
}
