//! Records how syncs ended.

use std::sync::Arc;

use api_port::AthleteSyncEndedHandler;
use api_port::sync_v1 as proto;
use async_trait::async_trait;
use stravasync_schema::SyncOutcome;
use treaty_error::{Error, Result};
use treaty_nats::Delivery;

use super::{SyncRun, SyncRunsRepository};
use crate::convert;

/// Handles `AthleteSyncEnded`.
pub struct SyncEnded {
    runs: Arc<dyn SyncRunsRepository>,
}

impl SyncEnded {
    /// Over a repository.
    pub fn new(runs: Arc<dyn SyncRunsRepository>) -> Self {
        Self { runs }
    }

    async fn record(&self, event: proto::AthleteSyncEnded) -> Result<()> {
        let run = model(event)?;
        if self.runs.record(&run).await? {
            tracing::info!(
                athlete.id = %run.athlete_id,
                request.id = run.request_id,
                outcome = run.outcome.as_str(),
                activities = run.activities,
                inserted = run.inserted,
                "a sync has ended"
            );
        }
        Ok(())
    }
}

#[async_trait]
impl AthleteSyncEndedHandler for SyncEnded {
    async fn athlete_sync_ended(
        &self,
        _delivery: &Delivery,
        event: proto::AthleteSyncEnded,
    ) -> Result<()> {
        self.record(event).await
    }
}

fn model(event: proto::AthleteSyncEnded) -> Result<SyncRun> {
    let outcome = match event.outcome() {
        proto::SyncOutcome::Succeeded => SyncOutcome::Succeeded,
        proto::SyncOutcome::NeedsConsent => SyncOutcome::NeedsConsent,
        proto::SyncOutcome::Unspecified => {
            return Err(Error::invalid_field("outcome", "is none that we know"));
        }
    };
    if event.request_id.is_empty() || event.request_id.contains('\0') {
        return Err(Error::invalid_field("request_id", "must be a text, and not an empty one"));
    }
    Ok(SyncRun {
        athlete_id: convert::athlete_id(&event.athlete_id)?,
        ended_at: event
            .end_time
            .as_ref()
            .and_then(convert::time)
            .ok_or_else(|| Error::invalid_field("end_time", "must be a time"))?,
        request_id: event.request_id,
        outcome,
        activities: event.activities,
        inserted: event.inserted,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use api_port::testing::{self, Outcome};
    use treaty_error::Code;
    use uuid::Uuid;

    use super::*;
    use crate::sync::repository::{MockSyncRunsRepository, SyncError};

    fn event() -> proto::AthleteSyncEnded {
        proto::AthleteSyncEnded {
            athlete_id: Uuid::nil().to_string(),
            request_id: "r1".to_owned(),
            outcome: proto::SyncOutcome::Succeeded.into(),
            activities: 20,
            inserted: 3,
            end_time: Some(convert::timestamp(chrono::DateTime::UNIX_EPOCH)),
        }
    }

    async fn deliver(runs: MockSyncRunsRepository, event: &proto::AthleteSyncEnded) -> Outcome {
        let handler = Arc::new(SyncEnded::new(Arc::new(runs)));
        testing::athlete_sync_ended(handler).deliver(event).await
    }

    #[tokio::test]
    async fn an_end_is_recorded_once_or_twice_with_the_same_outcome() {
        let mut runs = MockSyncRunsRepository::new();
        runs.expect_record()
            .times(1)
            .withf(|run| run.outcome == SyncOutcome::Succeeded && run.inserted == 3)
            .returning(|_| Ok(true));
        runs.expect_record().times(1).returning(|_| Ok(false));
        let harness = testing::athlete_sync_ended(Arc::new(SyncEnded::new(Arc::new(runs))));
        harness.deliver(&event()).await.assert_acknowledged();
        harness.deliver_attempt(&event(), 2).await.assert_acknowledged();
    }

    #[tokio::test]
    async fn an_event_that_cannot_be_right_is_set_aside() {
        let wrong = [
            proto::AthleteSyncEnded { athlete_id: "x".to_owned(), ..event() },
            proto::AthleteSyncEnded { request_id: String::new(), ..event() },
            proto::AthleteSyncEnded { outcome: 77, ..event() },
            proto::AthleteSyncEnded { end_time: None, ..event() },
        ];
        for event in wrong {
            let outcome = deliver(MockSyncRunsRepository::new(), &event).await;
            assert_eq!(outcome.assert_dead_lettered().code(), Code::InvalidArgument);
        }
    }

    #[tokio::test]
    async fn a_database_that_is_away_makes_it_come_again() {
        let mut runs = MockSyncRunsRepository::new();
        runs.expect_record().returning(|_| Err(SyncError::Database(sqlx::Error::PoolTimedOut)));
        let outcome = deliver(runs, &event()).await;
        // The contract's first wait.
        outcome.assert_comes_again(Duration::from_secs(1));
    }
}
