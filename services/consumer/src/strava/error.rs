//! Why Strava did not give a page, and what that means for the job.

use std::time::Duration;

use treaty_error::{Code, Error};
use treaty_fetch::BodyError;

/// Why Strava did not give a page. Nothing here holds a token or an address.
#[derive(Debug, thiserror::Error)]
pub enum StravaError {
    /// The access token is not valid (any more).
    #[error("Strava does not accept the access token")]
    TokenRefused,
    /// The access token is valid, but the athlete has not let us read activities.
    #[error("the athlete has not granted the permission to read activities")]
    MissingPermission,
    /// The quota of our application is spent, although we had counted otherwise. The client waits
    /// and asks again, so that nobody above it meets this.
    #[error("Strava's rate limit is spent")]
    RateLimited,
    /// The api, which counts all calls, could not be asked for one.
    #[error("no call to Strava can be reserved")]
    Quota(#[source] Error),
    /// This process ends before a call could be made.
    #[error("stopped while waiting for Strava's quota")]
    Stopping,
    /// Strava understood and will not do it, now or later.
    #[error("Strava refuses with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// Strava cannot answer just now, or answers as only a broken or strange server does.
    #[error("Strava is not available: status {status}")]
    Failed {
        /// The HTTP status.
        status: u16,
    },
    /// There was no answer, or not all of it.
    #[error("Strava is not reachable")]
    Unreachable(#[source] reqwest::Error),
    /// The answer is no list.
    #[error("Strava's answer is no list of activities")]
    Malformed(#[source] serde_json::Error),
    /// The answer is larger than any list of activities.
    #[error("Strava's answer is longer than {limit} bytes")]
    TooLong {
        /// Most bytes that are read.
        limit: usize,
    },
}

impl From<reqwest::Error> for StravaError {
    fn from(error: reqwest::Error) -> Self {
        // The address says nothing that the configuration does not, and may one day hold more.
        Self::Unreachable(error.without_url())
    }
}

impl From<BodyError> for StravaError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLong { limit } => Self::TooLong { limit },
            BodyError::Broken(error) => error.into(),
        }
    }
}

impl StravaError {
    /// Whether the same call may succeed in a moment. A timeout is none of these: who waited once
    /// that long should not wait again.
    pub(super) fn may_pass_soon(&self) -> bool {
        match self {
            Self::Failed { status } => *status >= 500,
            Self::Unreachable(error) => !error.is_timeout(),
            Self::Malformed(_) => true,
            _ => false,
        }
    }
}

impl From<StravaError> for Error {
    fn from(error: StravaError) -> Self {
        let code = match &error {
            StravaError::Quota(error) => error.code(),
            // Another process may begin with it at once.
            StravaError::Stopping => Code::Cancelled,
            // The next attempt asks for a token again, which refreshes one that has expired.
            StravaError::TokenRefused => Code::Unauthenticated,
            StravaError::RateLimited => Code::ResourceExhausted,
            StravaError::MissingPermission | StravaError::Refused { .. } => {
                Code::FailedPrecondition
            }
            StravaError::Failed { .. }
            | StravaError::Unreachable(_)
            | StravaError::Malformed(_)
            | StravaError::TooLong { .. } => Code::Unavailable,
        };
        let wrapped = Self::new(code, error.to_string());
        match error {
            StravaError::Stopping => wrapped.with_retry_after(Duration::ZERO),
            StravaError::Quota(source) => wrapped.with_source(source),
            StravaError::Unreachable(source) => wrapped.with_source(source),
            StravaError::Malformed(source) => wrapped.with_source(source),
            _ => wrapped,
        }
    }
}
