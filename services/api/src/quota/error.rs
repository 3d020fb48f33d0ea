use std::time::Duration;

use treaty_error::{Code, Error};

use crate::database;

/// Why something about the quota failed.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    /// Others changed the count again and again while we tried to.
    #[error("the count of calls is changing too fast")]
    Contended,
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<QuotaError> for Error {
    fn from(error: QuotaError) -> Self {
        match error {
            QuotaError::Contended => Self::new(Code::Aborted, error.to_string())
                .with_retry_after(Duration::from_millis(100)),
            QuotaError::Database(error) => database::failure(error),
        }
    }
}
