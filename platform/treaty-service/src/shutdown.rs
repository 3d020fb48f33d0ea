//! Ending in order: by a signal, or because a task ended that must not.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Exit status of a process that a second signal ends, as shells expect it.
const FORCED_EXIT: i32 = 130;

/// Starts the tasks of a process and ends them together. Cheap to clone.
#[derive(Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tracker: TaskTracker,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: u64,
    running: BTreeMap<u64, String>,
    failure: Option<ShutdownError>,
}

/// Why a process did not end well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShutdownError {
    /// A task failed. What it said is in the log.
    #[error("task {0} failed")]
    Failed(String),
    /// A task ended although nobody had asked it to.
    #[error("task {0} ended on its own")]
    EndedEarly(String),
    /// Tasks were not done when the grace was over.
    #[error("still running when the grace was over: {}", .0.join(", "))]
    StillRunning(Vec<String>),
}

impl Shutdown {
    /// Ends by [`trigger`](Self::trigger) or a failed task alone; for tests.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends by SIGTERM or SIGINT too. A second signal ends the process at once.
    ///
    /// # Errors
    /// The signals cannot be watched.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::new();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let token = shutdown.token();
        let watch = async move {
            let mut next = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let name = next().await;
            tracing::info!(signal = name, "shutting down");
            token.cancel();
            let name = next().await;
            tracing::warn!(signal = name, "second signal, ending at once");
            std::process::exit(FORCED_EXIT);
        };
        tokio::spawn(watch.in_current_span());
        Ok(shutdown)
    }

    /// Cancelled when the process is to end.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Begins the end.
    pub fn trigger(&self) {
        self.token.cancel();
    }

    /// Starts a task that lasts as long as the process. It should watch
    /// [`token`](Self::token) and finish its work when that is cancelled. If it
    /// ends before, or fails, or panics, everything is shut down and the process
    /// fails.
    pub fn spawn<F, E>(&self, name: impl Into<String>, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        let name = name.into();
        let id = {
            let mut state = self.state();
            let id = state.next;
            state.next += 1;
            state.running.insert(id, name.clone());
            id
        };
        // A task of its own inside ours turns a panic into a value.
        let inner = tokio::spawn(task.in_current_span());
        let this = self.clone();
        self.tracker.spawn(
            async move {
                let joined = inner.await;
                this.ended(id, name, joined.map(|result| result.map_err(Into::into)));
            }
            .in_current_span(),
        );
    }

    fn ended(
        &self,
        id: u64,
        task: String,
        joined: Result<
            Result<(), Box<dyn std::error::Error + Send + Sync>>,
            tokio::task::JoinError,
        >,
    ) {
        let asked = self.token.is_cancelled();
        let failure = match joined {
            Ok(Ok(())) if asked => None,
            Ok(Ok(())) => {
                tracing::error!(task, "task ended on its own, shutting down");
                Some(ShutdownError::EndedEarly(task))
            }
            Ok(Err(error)) => {
                tracing::error!(task, error = chain(&*error), "task failed, shutting down");
                Some(ShutdownError::Failed(task))
            }
            Err(error) => {
                tracing::error!(task, %error, "task failed, shutting down");
                Some(ShutdownError::Failed(task))
            }
        };
        let mut state = self.state();
        state.running.remove(&id);
        if let Some(failure) = failure {
            state.failure.get_or_insert(failure);
            drop(state);
            self.token.cancel();
        }
    }

    /// Waits until the process is to end and then until its tasks have ended, for
    /// at most the grace.
    ///
    /// # Errors
    /// The first task that failed, or those that are still running.
    pub async fn wait(&self, grace: Duration) -> Result<(), ShutdownError> {
        self.token.cancelled().await;
        self.tracker.close();
        let finished = tokio::time::timeout(grace, self.tracker.wait()).await;
        let mut state = self.state();
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        if finished.is_err() {
            let running = state.running.values().cloned().collect();
            return Err(ShutdownError::StillRunning(running));
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown")
            .field("triggered", &self.token.is_cancelled())
            .field("running", &self.state().running)
            .finish()
    }
}

/// An error with all its causes on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}
