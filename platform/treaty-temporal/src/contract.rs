//! What the contracts say about a workflow or an activity, as constants.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use temporalio_workflow::{ActivityCloseTimeouts, ActivityOptions, RetryPolicy};
use treaty_validate::Validate;

/// A workflow as its contract declares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkflowSpec {
    /// The workflow type: the name under which starters and workers meet.
    pub name: &'static str,
    /// The task queue on which it runs.
    pub task_queue: &'static str,
    /// The longest that it may take, retries and continuations included.
    pub execution_timeout: Option<Duration>,
    /// The longest that one run may take.
    pub run_timeout: Option<Duration>,
    /// What its runs are found by.
    pub search_attributes: &'static [SearchAttributeSpec],
}

/// A search attribute that each run of a workflow gets when it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchAttributeSpec {
    /// Its name at the server.
    pub name: &'static str,
    /// Its type at the server.
    pub kind: SearchAttributeKind,
    /// What it is set to.
    pub source: SearchAttributeSource,
}

/// The type of a search attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchAttributeKind {
    /// Text that is compared as a whole.
    Keyword,
    /// A whole number.
    Int,
    /// A number.
    Double,
    /// True or false.
    Bool,
    /// A time.
    Datetime,
}

impl SearchAttributeKind {
    /// As the server and its CLI write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "Keyword",
            Self::Int => "Int",
            Self::Double => "Double",
            Self::Bool => "Bool",
            Self::Datetime => "Datetime",
        }
    }
}

/// What a search attribute is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchAttributeSource {
    /// The field of the input with this name in JSON; nothing when it is not set.
    Field(&'static str),
    /// The same text for every run.
    Value(&'static str),
}

/// An activity as its contract declares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivitySpec {
    /// The activity type: the name under which workflows and workers meet.
    pub name: &'static str,
    /// The longest that one attempt may take. It is required because without it
    /// the server never notices a worker that died.
    pub start_to_close: Duration,
    /// The longest that all attempts together may take.
    pub schedule_to_close: Option<Duration>,
    /// The longest silence of a running attempt before it counts as lost.
    pub heartbeat: Option<Duration>,
    /// What happens after a failed attempt.
    pub retry: RetrySpec,
}

/// How failed attempts of an activity are repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrySpec {
    /// The wait before the second attempt.
    pub initial_interval: Duration,
    /// The factor by which each further wait grows; at least 1.
    pub backoff_coefficient: f64,
    /// The longest wait.
    pub maximum_interval: Option<Duration>,
    /// The number of attempts in all; 0 for no limit.
    pub maximum_attempts: u32,
}

impl RetrySpec {
    /// The server's own defaults: one second, doubling, without a limit.
    pub const DEFAULT: Self = Self {
        initial_interval: Duration::from_secs(1),
        backoff_coefficient: 2.0,
        maximum_interval: None,
        maximum_attempts: 0,
    };
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl ActivitySpec {
    /// The options of a call inside a workflow.
    #[must_use]
    pub fn options(&self) -> ActivityOptions {
        let timeouts = match self.schedule_to_close {
            Some(schedule_to_close) => ActivityCloseTimeouts::ScheduleAndStartToClose {
                schedule_to_close,
                start_to_close: self.start_to_close,
            },
            None => ActivityCloseTimeouts::StartToClose(self.start_to_close),
        };
        let retry = RetryPolicy::builder()
            .initial_interval(self.retry.initial_interval)
            .backoff_coefficient(self.retry.backoff_coefficient)
            .maybe_maximum_interval(self.retry.maximum_interval)
            .maximum_attempts(self.retry.maximum_attempts)
            .build();
        ActivityOptions::with_close_timeouts(timeouts)
            .maybe_heartbeat_timeout(self.heartbeat)
            .retry_policy(retry)
            .build()
    }
}

/// A workflow of the contracts: a type that the generator emits to tie the name
/// and the payload types together.
pub trait WorkflowContract: Send + Sync + 'static {
    /// What the workflow takes.
    type Input: Validate + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What the workflow answers.
    type Output: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// Name, task queue and timeouts.
    const SPEC: &'static WorkflowSpec;
}

/// A workflow whose contract says how its id is made of its input.
pub trait NamedWorkflow: WorkflowContract {
    /// The id.
    fn workflow_id(input: &Self::Input) -> String;
}

/// An activity of the contracts: a type that the generator emits to tie the name
/// and the payload types together.
pub trait ActivityContract: Send + Sync + 'static {
    /// What the activity takes.
    type Input: Validate + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What the activity answers.
    type Output: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// Name, timeouts and retries.
    const SPEC: &'static ActivitySpec;
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: ActivitySpec = ActivitySpec {
        name: "publish",
        start_to_close: Duration::from_secs(30),
        schedule_to_close: Some(Duration::from_secs(300)),
        heartbeat: Some(Duration::from_secs(10)),
        retry: RetrySpec {
            initial_interval: Duration::from_millis(200),
            backoff_coefficient: 1.5,
            maximum_interval: Some(Duration::from_secs(5)),
            maximum_attempts: 7,
        },
    };

    #[test]
    fn options_carry_every_declared_value() {
        let options = FULL.options();

        assert_eq!(options.close_timeouts.start_to_close(), Some(FULL.start_to_close));
        assert_eq!(options.close_timeouts.schedule_to_close(), FULL.schedule_to_close);
        assert_eq!(options.heartbeat_timeout, FULL.heartbeat);
        let retry = options.retry_policy.expect("a retry policy is always set");
        assert_eq!(retry.initial_interval(), FULL.retry.initial_interval);
        assert_eq!(retry.backoff_coefficient(), FULL.retry.backoff_coefficient);
        assert_eq!(retry.maximum_interval(), FULL.retry.maximum_interval);
        assert_eq!(retry.maximum_attempts(), FULL.retry.maximum_attempts);
    }

    #[test]
    fn without_an_overall_limit_only_the_attempt_is_bounded() {
        let spec = ActivitySpec { schedule_to_close: None, heartbeat: None, ..FULL };

        let options = spec.options();

        assert_eq!(options.close_timeouts.start_to_close(), Some(FULL.start_to_close));
        assert_eq!(options.close_timeouts.schedule_to_close(), None);
        assert_eq!(options.heartbeat_timeout, None);
    }
}
