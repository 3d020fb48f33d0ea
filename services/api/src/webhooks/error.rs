use treaty_error::{Code, Error};

use crate::connections::ConnectionsError;
use crate::database;

/// Why something about Strava's webhook failed.
#[derive(Debug, thiserror::Error)]
pub enum WebhooksError {
    /// This api has no callback.
    #[error("this api has no callback: set webhooks.path_secret, verify_token and public_url")]
    NoCallback,
    /// The one subscription of our application is another's.
    #[error("the application is subscribed with another callback: delete subscription {0} first")]
    SubscribedElsewhere(i64),
    /// Strava does not let us subscribe.
    #[error("Strava refuses: {0}")]
    Refused(String),
    /// A rate limit is spent.
    #[error("Strava's rate limit is spent")]
    RateLimited,
    /// Strava did not answer, or with a failure of its own.
    #[error("Strava is not reachable just now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It could not be found out whether the consent holds.
    #[error("whether the consent holds cannot be found out")]
    Consent(#[from] ConnectionsError),
    /// A consent had ended, and is there again.
    #[error("the consent was given anew while its end was looked at")]
    Reconnected,
    /// A job could not be written down.
    #[error("a job cannot be promised")]
    Job(#[source] Error),
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<WebhooksError> for Error {
    fn from(error: WebhooksError) -> Self {
        use WebhooksError as E;
        let message = error.to_string();
        match error {
            E::NoCallback | E::SubscribedElsewhere(_) | E::Refused(_) => {
                Self::new(Code::FailedPrecondition, message)
            }
            E::RateLimited => Self::new(Code::ResourceExhausted, message)
                .with_retry_after(std::time::Duration::from_secs(60)),
            E::Unavailable(source) => Self::new(Code::Unavailable, message).with_source(source),
            E::Consent(error) => error.into(),
            E::Reconnected => Self::new(Code::Aborted, message),
            E::Job(_) => Self::internal(error),
            E::Database(error) => database::failure(error),
        }
    }
}
