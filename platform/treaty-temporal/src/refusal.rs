//! What the refusals of the server and the SDK mean.

use temporalio_client::errors::{WorkflowGetResultError, WorkflowInteractionError};
use temporalio_client::schedules::ScheduleError;
use temporalio_client::tonic::{Code, Status};
use temporalio_common::protos::temporal::api::failure::v1::{Failure, failure::FailureInfo};

use crate::{Error, RunRef};

pub(crate) fn payload(
    name: &str,
    action: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::Payload { name: name.to_owned(), action, source: source.into() }
}

pub(crate) fn result_error(run: &RunRef, error: WorkflowGetResultError) -> Error {
    let workflow_id = run.workflow_id.clone();
    let ended = |outcome| Error::WorkflowEnded { workflow_id: workflow_id.clone(), outcome };
    match error {
        WorkflowGetResultError::Failed(failure) => {
            let (message, kind) = flatten(failure.failure());
            Error::WorkflowFailed { workflow_id, message, kind }
        }
        WorkflowGetResultError::Cancelled { .. } => ended("cancelled"),
        WorkflowGetResultError::Terminated { .. } => ended("terminated"),
        WorkflowGetResultError::TimedOut => ended("timed out"),
        WorkflowGetResultError::NotFound(_) => Error::WorkflowNotFound { workflow_id },
        WorkflowGetResultError::PayloadConversion(error) => payload(run.workflow, "decoded", error),
        WorkflowGetResultError::Rpc(status) => Error::call("await a workflow", status),
        error => Error::Call {
            operation: "await a workflow",
            code: treaty_error::Code::Internal,
            source: error.into(),
        },
    }
}

/// The messages of a failure and its causes on one line, and the type of the
/// innermost application failure: an activity's failure is wrapped in its own.
fn flatten(failure: &Failure) -> (String, Option<String>) {
    let mut messages = Vec::new();
    let mut kind = None;
    let mut next = Some(failure);
    while let Some(failure) = next {
        if !failure.message.is_empty() {
            messages.push(failure.message.as_str());
        }
        if let Some(FailureInfo::ApplicationFailureInfo(info)) = &failure.failure_info
            && !info.r#type.is_empty()
        {
            kind = Some(info.r#type.clone());
        }
        next = failure.cause.as_deref();
    }
    (messages.join(": "), kind)
}

pub(crate) fn interaction_error(
    run: &RunRef,
    operation: &'static str,
    error: WorkflowInteractionError,
) -> Error {
    match error {
        WorkflowInteractionError::NotFound(_) => {
            Error::WorkflowNotFound { workflow_id: run.workflow_id.clone() }
        }
        WorkflowInteractionError::Rpc(status) => Error::call(operation, status),
        error => {
            Error::Call { operation, code: treaty_error::Code::Internal, source: error.into() }
        }
    }
}

pub(crate) fn schedule_error(id: &str, operation: &'static str, error: ScheduleError) -> Error {
    match error {
        ScheduleError::Rpc(status) => rpc_error(id, operation, status),
        error => {
            Error::Call { operation, code: treaty_error::Code::Internal, source: error.into() }
        }
    }
}

pub(crate) fn rpc_error(id: &str, operation: &'static str, status: Status) -> Error {
    match status.code() {
        Code::NotFound => Error::ScheduleNotFound { schedule_id: id.to_owned() },
        _ => Error::call(operation, status),
    }
}

/// Whether a schedule changed between reading and writing it.
pub(crate) fn is_conflict(error: &Error) -> bool {
    match error {
        Error::ScheduleNotFound { .. } => true,
        Error::Call { code, .. } => *code == treaty_error::Code::FailedPrecondition,
        _ => false,
    }
}
