use treaty_error::{Code, Error};
use treaty_secrets::SecretsError;

use super::StravaError;
use crate::database;

/// Why something about connections failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionsError {
    /// There is no such athlete.
    #[error("there is no such athlete")]
    AthleteNotFound,
    /// The state is not one of ours, was used, or is too old.
    #[error("the consent is unknown, used or too old: start it again")]
    UnknownState,
    /// The athlete did not consent.
    #[error("the athlete has declined")]
    Declined,
    /// Strava sent the browser back without a code.
    #[error("the code is missing")]
    MissingCode,
    /// Without this scope there is nothing to read.
    #[error("the scope activity:read is missing: start again and leave it ticked")]
    MissingScope,
    /// The Strava athlete belongs to another athlete of ours.
    #[error("this Strava athlete is connected to another athlete")]
    StravaAthleteTaken,
    /// Our athlete is connected to another Strava athlete.
    #[error("the athlete is connected to another Strava athlete")]
    OtherStravaAthlete,
    /// There is no connection, or it has ended.
    #[error("the athlete has to consent first")]
    NotConnected,
    /// There is a connection, and the secret store has no tokens of it.
    #[error("the athlete's tokens are lost: the athlete has to consent again")]
    TokensLost,
    /// Strava failed.
    #[error("Strava failed")]
    Strava(#[from] StravaError),
    /// The first job could not be written down.
    #[error("the first sync cannot be promised")]
    FirstSync(#[source] Error),
    /// A task of ours has ended early.
    #[error("the exchange with Strava was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The secret store failed.
    #[error("the secret store failed")]
    Secrets(#[from] SecretsError),
}

impl From<ConnectionsError> for Error {
    fn from(error: ConnectionsError) -> Self {
        use ConnectionsError as E;
        let message = error.to_string();
        let code = match error {
            E::Database(error) => return database::failure(error),
            E::Secrets(error) => return error.into(),
            E::FirstSync(_) | E::Interrupted(_) => return Self::internal(error),
            E::Strava(strava) => return strava.into(),
            E::AthleteNotFound => Code::NotFound,
            E::UnknownState => return Self::invalid_field("state", message),
            E::MissingCode => return Self::invalid_field("code", message),
            E::StravaAthleteTaken => Code::AlreadyExists,
            E::Declined
            | E::MissingScope
            | E::OtherStravaAthlete
            | E::NotConnected
            | E::TokensLost => Code::FailedPrecondition,
        };
        Self::new(code, message)
    }
}
