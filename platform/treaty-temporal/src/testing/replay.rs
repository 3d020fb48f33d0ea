//! Recorded histories against the workflows as they are now.

use temporalio_client::WorkflowHistory;
use temporalio_common::WorkflowDefinition;
use temporalio_sdk::workflow_replayer::{
    WorkflowReplayError, WorkflowReplayer, WorkflowReplayerOptions,
};
use temporalio_workflow::workflows::WorkflowImplementation;

use super::history::decode;
use crate::{Error, WorkflowContract, trace};

/// Runs workflows again on what happened to them, without a server and without activities: what a
/// worker does that takes over an open workflow. It fails where the code would decide otherwise
/// than it did then, which would leave open workflows stuck.
///
/// Make one for each history: a replayer is used up.
pub struct Replayer {
    registering: Result<WorkflowReplayerOptions, Error>,
}

impl std::fmt::Debug for Replayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replayer").finish_non_exhaustive()
    }
}

impl Replayer {
    /// A replayer of the workflows of this task queue.
    #[must_use]
    pub fn new(task_queue: &str) -> Self {
        let options = WorkflowReplayerOptions::new()
            .task_queue(task_queue)
            .workflow_interceptor(trace::interceptor())
            .build();
        Self { registering: Ok(options) }
    }

    /// Registers `W` as the implementation of the workflow `C`.
    #[must_use]
    pub fn workflow<C, W>(mut self) -> Self
    where
        C: WorkflowContract,
        W: WorkflowImplementation,
        W::Run: WorkflowDefinition<Input = C::Input, Output = C::Output>,
    {
        if let Ok(options) = &mut self.registering
            && let Err(error) = options.register_workflow::<W>()
        {
            let task_queue = options.task_queue.clone();
            self.registering = Err(Error::Registration { task_queue, reason: error.to_string() });
        }
        self
    }

    /// Replays one history: the JSON of `Connection::history`, or of the CLI's
    /// `temporal workflow show --output json`.
    ///
    /// # Errors
    /// [`Error::Replay`] where code and history part, [`Error::Payload`] when it is no history,
    /// [`Error::Registration`] when nothing that can replay it is registered.
    pub async fn replay(self, history: &[u8]) -> Result<(), Error> {
        let options = self.registering?;
        let task_queue = options.task_queue.clone();
        let history = WorkflowHistory::from(decode(history)?);
        let replayer = WorkflowReplayer::new(options)
            .map_err(|error| Error::Registration { task_queue, reason: error.to_string() })?;
        replayer.replay_workflow(history).await.map_err(|error| match error {
            WorkflowReplayError::Replay(failure) => Error::Replay { source: failure.into() },
            error => Error::Replay { source: error.into() },
        })
    }
}
