//! What can go wrong between a service and Temporal.

use std::error::Error as StdError;
use std::time::Duration;

use treaty_error::Code;

/// The cause under an [`Error`].
pub(crate) type Source = Box<dyn StdError + Send + Sync>;

/// A failure of a call to Temporal, of a workflow, or of a worker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration key is wrong; repeating cannot help.
    #[error("configuration key temporal.{key} is wrong: {reason}")]
    Config {
        /// The key below `temporal`.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
        /// What found it out, where there is more to say.
        source: Option<Source>,
    },
    /// No server answered before the deadline.
    #[error(
        "no Temporal server answered at {address} within {waited:?} \
         (configuration key temporal.address)"
    )]
    Unreachable {
        /// Where the server was looked for.
        address: String,
        /// For how long.
        waited: Duration,
        /// The last failure.
        source: Source,
    },
    /// A workflow with this id runs already.
    #[error("workflow {workflow_id} runs already")]
    AlreadyStarted {
        /// The id.
        workflow_id: String,
        /// The run that holds it, where the server told.
        run_id: Option<String>,
    },
    /// No workflow with this id.
    #[error("workflow {workflow_id} does not exist")]
    WorkflowNotFound {
        /// The id.
        workflow_id: String,
    },
    /// No schedule with this id.
    #[error("schedule {schedule_id} does not exist")]
    ScheduleNotFound {
        /// The id.
        schedule_id: String,
    },
    /// The workflow ended in failure.
    #[error("workflow {workflow_id} failed: {message}")]
    WorkflowFailed {
        /// The id.
        workflow_id: String,
        /// The messages of the failure and of its causes, outermost first.
        message: String,
        /// The type of the innermost application failure, such as `NOT_FOUND`.
        kind: Option<String>,
    },
    /// The workflow ended without a result and without a failure of its own.
    #[error("workflow {workflow_id} was {outcome}")]
    WorkflowEnded {
        /// The id.
        workflow_id: String,
        /// How it ended: `cancelled`, `terminated` or `timed out`.
        outcome: &'static str,
    },
    /// What a workflow was to take breaks the rules of its contract.
    #[error("input of {name} breaks the rules of its contract")]
    Invalid {
        /// The workflow.
        name: String,
        /// The rules.
        source: treaty_error::Error,
    },
    /// A payload does not fit its type.
    #[error("payload of {name} cannot be {action}")]
    Payload {
        /// The workflow or activity.
        name: String,
        /// `encoded` or `decoded`.
        action: &'static str,
        /// What the JSON layer says.
        source: Source,
    },
    /// The server refused a call, or was lost on the way.
    #[error("Temporal refused to {operation}")]
    Call {
        /// What was tried.
        operation: &'static str,
        /// The code of the refusal.
        code: Code,
        /// What the server or the transport says.
        source: Source,
    },
    /// The server does not know a search attribute of the contracts as they declare it.
    #[error("search attribute {name}: {reason}")]
    SearchAttribute {
        /// Its name.
        name: String,
        /// What is wrong, and what to do.
        reason: String,
        /// What the server says, where it says anything.
        source: Option<Source>,
    },
    /// A recorded history does not fit the workflows as they are now.
    #[error("the history does not replay")]
    Replay {
        /// Where they part.
        source: Source,
    },
    /// What a worker registers is not what the contracts declare.
    #[error("worker on task queue {task_queue}: {reason}")]
    Registration {
        /// The task queue of the worker.
        task_queue: String,
        /// The difference.
        reason: String,
    },
    /// A worker could not start, or stopped by itself.
    #[error("worker on task queue {task_queue} {reason}")]
    Worker {
        /// The task queue of the worker.
        task_queue: String,
        /// What became of it.
        reason: &'static str,
        /// The cause, where there is one.
        source: Option<Source>,
    },
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Call { code, .. } => matches!(
                code,
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Aborted
                    | Code::Unknown
            ),
            _ => false,
        }
    }

    /// The code under which this failure crosses a boundary.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::Unavailable,
            Self::AlreadyStarted { .. } => Code::AlreadyExists,
            Self::WorkflowNotFound { .. } | Self::ScheduleNotFound { .. } => Code::NotFound,
            Self::Invalid { source, .. } => source.code(),
            Self::WorkflowEnded { .. } => Code::Aborted,
            Self::Call { code, .. } => *code,
            Self::Config { .. }
            | Self::WorkflowFailed { .. }
            | Self::Payload { .. }
            | Self::SearchAttribute { .. }
            | Self::Replay { .. }
            | Self::Registration { .. }
            | Self::Worker { .. } => Code::Internal,
        }
    }

    /// A refusal by the server.
    pub(crate) fn call(
        operation: &'static str,
        status: impl Into<Box<temporalio_client::tonic::Status>>,
    ) -> Self {
        let status = status.into();
        Self::Call { operation, code: Code::from_grpc(status.code() as i32), source: status }
    }
}

impl From<Error> for treaty_error::Error {
    fn from(error: Error) -> Self {
        if let Error::Invalid { source, .. } = error {
            return source;
        }
        let code = error.code();
        // Names of hosts, queues and types are ours; a caller learns the code,
        // and whose id it was where the caller chose the id.
        let message = match code {
            Code::NotFound | Code::AlreadyExists | Code::Aborted => error.to_string(),
            Code::Internal => "internal error".to_owned(),
            _ => "the workflow service cannot be used just now".to_owned(),
        };
        Self::new(code, message).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use temporalio_client::tonic;

    #[test]
    fn a_refusal_keeps_its_code_and_hides_its_text() {
        let status = Box::new(tonic::Status::unavailable("frontend 10.0.0.7 is down"));

        let error = Error::call("start a workflow", status);

        assert!(error.is_retryable());
        let shown = treaty_error::Error::from(error);
        assert_eq!(shown.code(), Code::Unavailable);
        assert!(!shown.message().contains("10.0.0.7"));
        assert!(shown.chain().contains("10.0.0.7"));
    }

    #[test]
    fn an_id_that_is_taken_is_the_callers_to_know() {
        let error = Error::AlreadyStarted { workflow_id: "daily".into(), run_id: None };

        let shown = treaty_error::Error::from(error);

        assert_eq!(shown.code(), Code::AlreadyExists);
        assert_eq!(shown.message(), "workflow daily runs already");
    }
}
