use std::time::Duration;

use treaty_error::{Code, Error};

use crate::database;

/// Why something about a sync failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// There is no such athlete.
    #[error("there is no such athlete")]
    AthleteNotFound,
    /// Another attempt has taken over: what this one writes is stale.
    #[error("another sync of the athlete has taken over")]
    Superseded {
        /// How long the other may keep quiet before it is thought dead.
        lease_time: Duration,
    },
    /// The message that follows from the end cannot be made.
    #[error("a message cannot be made")]
    Message(#[source] Error),
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<SyncError> for Error {
    fn from(error: SyncError) -> Self {
        let message = error.to_string();
        match error {
            SyncError::AthleteNotFound => Self::new(Code::NotFound, message),
            // Whoever is refused gives its message back for so long that the attempt which has
            // taken over reports progress before, and so keeps the message for itself.
            SyncError::Superseded { lease_time } => {
                Self::new(Code::Aborted, message).with_retry_after(lease_time)
            }
            SyncError::Message(source) => Self::internal(source),
            SyncError::Database(error) => database::failure(error),
        }
    }
}
