//! Attempts of an activity, and what becomes of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use treaty_error::Error as Failure;

use crate::activity::{Verdict, verdict};
use crate::{ActivityContext, ActivityContract, ActivityHandler, Error, RetrySpec};

/// What becomes of one attempt of an activity.
#[derive(Debug)]
pub enum AttemptOutcome<T> {
    /// The activity is done, with this result.
    Completed(T),
    /// It is tried again.
    TriedAgain {
        /// After this wait: the failure's own, or that of the contract.
        after: Duration,
        /// Why.
        error: Failure,
    },
    /// It has failed for good, and the workflow learns so.
    Failed {
        /// Why.
        error: Failure,
    },
    /// It stopped because it was told to.
    Cancelled,
}

impl<T: std::fmt::Debug> AttemptOutcome<T> {
    /// The result of an attempt that completed.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn completed(self) -> T {
        match self {
            Self::Completed(output) => output,
            other => panic!("not completed: {other:?}"),
        }
    }

    /// Why an attempt did not complete, whether or not there is another.
    ///
    /// # Panics
    /// When it completed or was cancelled.
    #[track_caller]
    pub fn error(self) -> Failure {
        match self {
            Self::TriedAgain { error, .. } | Self::Failed { error } => error,
            other => panic!("no failure: {other:?}"),
        }
    }
}

/// Runs attempts of activities as a worker does, in memory: input, progress and output go
/// through JSON, heartbeats are kept for the next attempt and for the test to look at,
/// and the failure's code and the contract decide what becomes of an attempt.
#[derive(Debug, Default)]
pub struct ActivityEnvironment {
    attempts: Mutex<u32>,
    cancelled: CancellationToken,
    heartbeats: Arc<Mutex<Vec<Value>>>,
}

impl ActivityEnvironment {
    /// Before the first attempt.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Before the second attempt: the first left this progress behind.
    ///
    /// # Errors
    /// [`Error::Payload`] when the progress is not JSON.
    pub fn after_progress(progress: &impl Serialize) -> Result<Self, Error> {
        let environment = Self { attempts: Mutex::new(1), ..Self::default() };
        lock(&environment.heartbeats).push(encode("a heartbeat", progress)?);
        Ok(environment)
    }

    /// Tells the attempt that is running, and all later ones, to stop.
    pub fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// What a handler needs to tell the attempt to stop from within.
    #[must_use]
    pub fn cancellation(&self) -> CancellationToken {
        self.cancelled.clone()
    }

    /// The progress of all heartbeats so far, in order.
    ///
    /// # Errors
    /// [`Error::Payload`] when one does not fit the type.
    pub fn heartbeats<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        lock(&self.heartbeats).iter().map(|value| decode("a heartbeat", value.clone())).collect()
    }

    /// Runs the next attempt.
    ///
    /// # Errors
    /// [`Error::Payload`] when input or output do not survive their JSON.
    pub async fn attempt<C, H>(
        &self,
        handler: &H,
        input: &C::Input,
    ) -> Result<AttemptOutcome<C::Output>, Error>
    where
        C: ActivityContract,
        H: ActivityHandler<C> + ?Sized,
    {
        let attempt = {
            let mut attempts = lock(&self.attempts);
            *attempts += 1;
            *attempts
        };
        let heartbeats = Arc::clone(&self.heartbeats);
        let context = ActivityContext::in_memory(attempt, self.cancelled.clone(), heartbeats);
        let input = decode(C::SPEC.name, encode(C::SPEC.name, input)?)?;
        let error = match handler.run(&context, input).await {
            Ok(output) => {
                let output = decode(C::SPEC.name, encode(C::SPEC.name, &output)?)?;
                return Ok(AttemptOutcome::Completed(output));
            }
            Err(error) => error,
        };
        Ok(match verdict(&context, &error) {
            Verdict::Cancelled => AttemptOutcome::Cancelled,
            Verdict::Final => AttemptOutcome::Failed { error },
            Verdict::Passing => match wait_after(&C::SPEC.retry, attempt) {
                Some(wait) => {
                    AttemptOutcome::TriedAgain { after: error.retry_after().unwrap_or(wait), error }
                }
                None => AttemptOutcome::Failed { error },
            },
        })
    }
}

/// The server's wait after an attempt; none when there is no other attempt.
fn wait_after(retry: &RetrySpec, attempt: u32) -> Option<Duration> {
    if retry.maximum_attempts > 0 && attempt >= retry.maximum_attempts {
        return None;
    }
    // The server's own limit, when the contract has none.
    let longest = retry.maximum_interval.unwrap_or(retry.initial_interval * 100).as_secs_f64();
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let wait = retry.initial_interval.as_secs_f64() * retry.backoff_coefficient.powi(exponent);
    Some(Duration::from_secs_f64(wait.min(longest)))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A test that panicked while it held the lock has failed anyway.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn encode(name: &str, value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|error| payload(name, "encoded", error))
}

pub(super) fn decode<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| payload(name, "decoded", error))
}

fn payload(name: &str, action: &'static str, error: serde_json::Error) -> Error {
    Error::Payload { name: name.to_owned(), action, source: error.into() }
}
