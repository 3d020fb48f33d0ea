use treaty_error::{Code, Error};

use crate::database;
use crate::sync::SyncError;

/// Why something about activities failed.
#[derive(Debug, thiserror::Error)]
pub enum ActivitiesError {
    /// There is no such activity.
    #[error("there is no such activity")]
    NotFound,
    /// There is no such athlete.
    #[error("there is no such athlete")]
    AthleteNotFound,
    /// The activity is another athlete's, and stays so.
    #[error("activity {0} belongs to another athlete")]
    OfAnotherAthlete(i64),
    /// The sync that has read them may not write.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<ActivitiesError> for Error {
    fn from(error: ActivitiesError) -> Self {
        let message = error.to_string();
        match error {
            ActivitiesError::NotFound | ActivitiesError::AthleteNotFound => {
                Self::new(Code::NotFound, message)
            }
            ActivitiesError::OfAnotherAthlete(_) => Self::new(Code::FailedPrecondition, message),
            ActivitiesError::Sync(error) => error.into(),
            ActivitiesError::Database(error) => database::failure(error),
        }
    }
}
