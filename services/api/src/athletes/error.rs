use treaty_error::{Code, Error};

use crate::database;

/// Why something about athletes failed.
#[derive(Debug, thiserror::Error)]
pub enum AthletesError {
    /// There is no such athlete.
    #[error("there is no such athlete")]
    NotFound,
    /// The address belongs to another athlete.
    #[error("the e-mail address is known already")]
    EmailTaken,
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<AthletesError> for Error {
    fn from(error: AthletesError) -> Self {
        let message = error.to_string();
        match error {
            AthletesError::NotFound => Self::new(Code::NotFound, message),
            AthletesError::EmailTaken => Self::new(Code::AlreadyExists, message),
            AthletesError::Database(error) => database::failure(error),
        }
    }
}
