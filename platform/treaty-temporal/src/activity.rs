//! Activities: the work that workflows have done outside themselves.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use temporalio_common::ActivityDefinition;
use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::activities::{
    ActivityContext as SdkContext, ActivityDefinitions, ActivityError, ActivityImplementer,
    ExecutableActivity,
};
use temporalio_workflow::{
    ActivityExecutionError, ActivityOptions, CancellableFuture, WorkflowContext,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use treaty_error::{Code, Disposition};
use treaty_telemetry::{context as trace, durations};

use crate::{ActivityContract, Error};

/// Does the work of the activity `C`.
///
/// A failure whose code calls for a retry is retried as the contract declares,
/// not before its `retry_after`; any other code ends the activity at once.
#[async_trait]
pub trait ActivityHandler<C: ActivityContract>: Send + Sync + 'static {
    /// One attempt.
    async fn run(
        &self,
        context: &ActivityContext,
        input: C::Input,
    ) -> treaty_error::Result<C::Output>;
}

/// What an attempt knows of itself, and its line back to the server.
pub struct ActivityContext {
    inner: Inner,
}

enum Inner {
    Worker(Box<SdkContext>),
    Detached {
        attempt: u32,
        cancelled: CancellationToken,
        progress: Option<serde_json::Value>,
        heartbeats: Arc<Mutex<Vec<serde_json::Value>>>,
    },
}

impl std::fmt::Debug for ActivityContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActivityContext")
            .field("workflow_id", &self.workflow_id())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}

impl ActivityContext {
    /// A context without a server, for unit tests of a handler: a first attempt
    /// that is cancelled by the token and whose heartbeats go nowhere.
    #[must_use]
    pub fn detached(cancelled: CancellationToken) -> Self {
        Self::of(1, cancelled, None, Arc::default())
    }

    /// An attempt whose heartbeats are kept there, the last of them being the progress
    /// of the attempt before.
    #[cfg(feature = "testing")]
    pub(crate) fn in_memory(
        attempt: u32,
        cancelled: CancellationToken,
        heartbeats: Arc<Mutex<Vec<serde_json::Value>>>,
    ) -> Self {
        let progress = heartbeats.lock().unwrap_or_else(PoisonError::into_inner).last().cloned();
        Self::of(attempt, cancelled, progress, heartbeats)
    }

    fn of(
        attempt: u32,
        cancelled: CancellationToken,
        progress: Option<serde_json::Value>,
        heartbeats: Arc<Mutex<Vec<serde_json::Value>>>,
    ) -> Self {
        Self { inner: Inner::Detached { attempt, cancelled, progress, heartbeats } }
    }

    /// Pretends that an earlier attempt left this progress behind.
    ///
    /// # Errors
    /// [`Error::Payload`] when the progress is not JSON.
    pub fn detached_after(
        cancelled: CancellationToken,
        progress: &impl Serialize,
    ) -> Result<Self, Error> {
        let progress = serde_json::to_value(progress)
            .map_err(|error| progress_error("encoded", error.into()))?;
        Ok(Self::of(2, cancelled, Some(progress), Arc::default()))
    }

    /// The number of this attempt, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        match &self.inner {
            Inner::Worker(context) => context.info().attempt,
            Inner::Detached { attempt, .. } => *attempt,
        }
    }

    /// The workflow that called the activity.
    #[must_use]
    pub fn workflow_id(&self) -> Option<&str> {
        match &self.inner {
            Inner::Worker(context) => context.info().workflow_id.as_deref(),
            Inner::Detached { .. } => None,
        }
    }

    /// When the server gives this attempt up.
    #[must_use]
    pub fn deadline(&self) -> Option<SystemTime> {
        match &self.inner {
            Inner::Worker(context) => context.info().deadline,
            Inner::Detached { .. } => None,
        }
    }

    /// Whether the attempt is to stop: its workflow was cancelled, its time is
    /// over, or the worker is shutting down.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        match &self.inner {
            Inner::Worker(context) => context.is_cancelled(),
            Inner::Detached { cancelled, .. } => cancelled.is_cancelled(),
        }
    }

    /// Waits until the attempt is to stop. The server tells by way of heartbeats,
    /// so an activity without them learns only of the worker's shutdown.
    pub async fn cancelled(&self) {
        match &self.inner {
            Inner::Worker(context) => context.cancelled().await,
            Inner::Detached { cancelled, .. } => cancelled.cancelled().await,
        }
    }

    /// Tells the server that the attempt is alive and how far it has come; calls
    /// may be frequent, the SDK thins them out.
    ///
    /// # Errors
    /// [`Error::Payload`] when the progress is not JSON.
    pub async fn heartbeat<T>(&self, progress: T) -> Result<(), Error>
    where
        T: Serialize + Send + 'static,
    {
        match &self.inner {
            Inner::Worker(context) => context
                .record_heartbeat(progress)
                .await
                .map_err(|error| progress_error("encoded", error.into())),
            Inner::Detached { heartbeats, .. } => {
                let progress = serde_json::to_value(progress)
                    .map_err(|error| progress_error("encoded", error.into()))?;
                heartbeats.lock().unwrap_or_else(PoisonError::into_inner).push(progress);
                Ok(())
            }
        }
    }

    /// How far the previous attempt had come, by its last heartbeat.
    ///
    /// # Errors
    /// [`Error::Payload`] when it does not fit the type.
    pub fn progress<T: DeserializeOwned + 'static>(&self) -> Result<Option<T>, Error> {
        match &self.inner {
            Inner::Worker(context) => context
                .heartbeat_details()
                .deserialize()
                .map_err(|error| progress_error("decoded", error.into())),
            Inner::Detached { progress, .. } => progress
                .clone()
                .map(serde_json::from_value)
                .transpose()
                .map_err(|error| progress_error("decoded", error.into())),
        }
    }
}

fn progress_error(action: &'static str, source: crate::error::Source) -> Error {
    Error::Payload { name: "a heartbeat".to_owned(), action, source }
}

/// Calls the activity `C` with the timeouts and retries that its contract
/// declares.
pub fn execute_activity<C: ActivityContract, W>(
    context: &WorkflowContext<W>,
    input: C::Input,
) -> impl CancellableFuture<Output = Result<C::Output, ActivityExecutionError>> {
    execute_activity_with::<C, W>(context, input, C::SPEC.options())
}

/// Calls the activity `C` with options of the caller's, such as a summary; begin
/// with `C::SPEC.options()`.
pub fn execute_activity_with<C: ActivityContract, W>(
    context: &WorkflowContext<W>,
    input: C::Input,
    options: ActivityOptions,
) -> impl CancellableFuture<Output = Result<C::Output, ActivityExecutionError>> {
    context.execute_activity(Call::<C>(PhantomData), input, options)
}

/// An activity as workflows see it.
struct Call<C>(PhantomData<fn() -> C>);

impl<C: ActivityContract> ActivityDefinition for Call<C> {
    type Input = C::Input;
    type Output = C::Output;

    fn name(&self) -> &str {
        C::SPEC.name
    }
}

/// An activity as the worker runs it.
pub(crate) struct Served<C, H>(PhantomData<fn() -> (C, H)>);

impl<C: ActivityContract, H: ActivityHandler<C>> ActivityDefinition for Served<C, H> {
    type Input = C::Input;
    type Output = C::Output;

    fn name(&self) -> &str {
        C::SPEC.name
    }
}

/// The handler in the form that the SDK registers.
pub(crate) struct Implementer<H>(pub(crate) Arc<H>);

impl<H> ActivityImplementer for Implementer<H> {
    fn register_all(self: Arc<Self>, _: &mut ActivityDefinitions) {
        // Handlers are registered one activity at a time, by `Served`.
    }
}

impl<C: ActivityContract, H: ActivityHandler<C>> ExecutableActivity for Served<C, H> {
    type Implementer = Implementer<H>;
    const REQUIRES_INSTANCE: bool = true;

    fn definition() -> Self {
        Self(PhantomData)
    }

    fn execute(
        receiver: Option<Arc<Self::Implementer>>,
        context: SdkContext,
        input: C::Input,
    ) -> BoxFuture<'static, Result<C::Output, ActivityError>> {
        let (span, started) = (span(C::SPEC.name, &context), Instant::now());
        let context = ActivityContext { inner: Inner::Worker(Box::new(context)) };
        let attempt = async move {
            let Some(handler) = receiver else {
                let missing = format!("activity {} has no handler", C::SPEC.name);
                return Err(ActivityError::application(ApplicationFailure::non_retryable(missing)));
            };
            let outcome = match treaty_validate::validate(&input) {
                Ok(()) => handler.0.run(&context, input).await,
                Err(error) => Err(error),
            };
            let code = outcome.as_ref().map_or_else(|error| error.code().as_str(), |_| "completed");
            durations::activity_ended(C::SPEC.name, code, started.elapsed());
            outcome.map_err(|error| failure(&context, error))
        };
        attempt.instrument(span).boxed()
    }
}

/// An attempt is part of its run's trace. It begins one where the workflow was scheduled by a
/// worker that makes none.
fn span(activity: &'static str, context: &SdkContext) -> tracing::Span {
    let info = context.info();
    let span = tracing::info_span!(
        "activity",
        otel.kind = "consumer",
        otel.name = trace::is_on().then(|| format!("RunActivity:{activity}")),
        name = activity,
        workflow_id = info.workflow_id.as_deref(),
        attempt = info.attempt,
    );
    trace::continue_in(&span, crate::trace::caller(context.headers()).as_deref());
    if let Some(run) = &info.workflow_run_id {
        trace::describe(&span, "temporal.workflow.run_id", run.clone());
    }
    span
}

/// What becomes of an attempt that did not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It stopped because it was told to.
    Cancelled,
    /// Another attempt may succeed.
    Passing,
    /// No other attempt can.
    Final,
}

/// Decides by the code of the failure.
pub(crate) fn verdict(context: &ActivityContext, error: &treaty_error::Error) -> Verdict {
    if context.is_cancelled() && error.code() == Code::Cancelled {
        return Verdict::Cancelled;
    }
    match error.code().disposition() {
        Disposition::DeadLetter => Verdict::Final,
        Disposition::Retry => Verdict::Passing,
    }
}

/// Turns a handler's failure into the server's terms. The failure is logged here,
/// for its causes go no further.
fn failure(context: &ActivityContext, error: treaty_error::Error) -> ActivityError {
    let fatal = match verdict(context, &error) {
        Verdict::Cancelled => return ActivityError::cancelled(),
        verdict => verdict == Verdict::Final,
    };
    tracing::warn!(error = %error.chain(), will_retry = !fatal, "attempt failed");
    ActivityError::application(
        ApplicationFailure::builder(error.message())
            .type_name(error.code().as_str().to_owned())
            .non_retryable(fatal)
            .maybe_next_retry_delay(error.retry_after())
            .build(),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn application(error: ActivityError) -> Box<ApplicationFailure> {
        match error {
            ActivityError::Application(failure) => failure,
            other => panic!("expected an application failure, got {other:?}"),
        }
    }

    #[test]
    fn retry_follows_the_code_and_its_wait() {
        let context = ActivityContext::detached(CancellationToken::new());
        let busy = treaty_error::Error::new(Code::ResourceExhausted, "quota spent")
            .with_retry_after(Duration::from_secs(7));

        let failure = application(failure(&context, busy));

        assert!(!failure.is_non_retryable());
        assert_eq!(failure.next_retry_delay(), Some(Duration::from_secs(7)));
        assert_eq!(failure.type_name(), Some("RESOURCE_EXHAUSTED"));
    }

    #[test]
    fn what_cannot_get_better_is_not_retried_and_keeps_its_cause_at_home() {
        let context = ActivityContext::detached(CancellationToken::new());
        let wrong = treaty_error::Error::new(Code::InvalidArgument, "no such page")
            .with_source(std::io::Error::other("password=hunter2"));

        let failure = application(failure(&context, wrong));

        assert!(failure.is_non_retryable());
        assert_eq!(failure.to_string(), "no such page");
    }

    #[test]
    fn a_cancelled_attempt_that_stops_is_cancelled_not_failed() {
        let token = CancellationToken::new();
        let context = ActivityContext::detached(token.clone());
        token.cancel();

        let outcome = failure(&context, treaty_error::Error::new(Code::Cancelled, "stopped"));

        assert!(matches!(outcome, ActivityError::Cancelled { .. }), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_detached_context_hands_progress_over() {
        let context = ActivityContext::detached_after(CancellationToken::new(), &"page-3").unwrap();

        context.heartbeat("page-4").await.unwrap();

        assert_eq!(context.attempt(), 2);
        assert_eq!(context.progress::<String>().unwrap().as_deref(), Some("page-3"));
    }
}
