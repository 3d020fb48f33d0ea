//! How a run ended.

use treaty_error::{Code, Error};

use crate::Published;

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishReport {
    /// Messages that the stream has newly stored.
    pub published: u64,
    /// Messages that the stream had already.
    pub duplicates: u64,
    /// Messages that failed for good.
    pub failed: u64,
    /// The first few of them.
    pub failures: Vec<PublishFailure>,
}

/// A message that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishFailure {
    /// Its deduplication key.
    pub message_id: Option<String>,
    /// The code of the failure.
    pub code: Code,
    /// The failure, fit to be shown.
    pub reason: String,
}

impl PublishReport {
    const SHOWN_FAILURES: usize = 10;

    /// Makes failed messages an error, for callers that repeat the whole run.
    ///
    /// # Errors
    /// At least one message failed; the code is that of the first.
    pub fn into_result(self) -> Result<Self, Error> {
        let Some(first) = self.failures.first() else { return Ok(self) };
        let message = format!(
            "{} of {} messages were not published; the first: {}",
            self.failed,
            self.failed + self.published + self.duplicates,
            first.reason
        );
        Err(Error::new(first.code, message))
    }

    /// Counts one outcome.
    pub(crate) fn add(
        &mut self,
        message_id: impl FnOnce() -> Option<String>,
        outcome: Result<Published, Error>,
    ) {
        match outcome {
            Ok(Published { duplicate: false, .. }) => self.published += 1,
            Ok(_) => self.duplicates += 1,
            Err(error) => {
                self.failed += 1;
                if self.failures.len() < Self::SHOWN_FAILURES {
                    let (code, reason) = (error.code(), error.to_string());
                    let message_id = message_id();
                    self.failures.push(PublishFailure { message_id, code, reason });
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.published += other.published;
        self.duplicates += other.duplicates;
        self.failed += other.failed;
        let room = Self::SHOWN_FAILURES.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.into_iter().take(room));
    }
}
