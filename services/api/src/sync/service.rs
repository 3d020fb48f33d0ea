//! The rules about syncs.

use std::sync::Arc;

use api_port::sync_v1::{AthleteSyncEnded, SyncAthlete, SyncOutcome as EventOutcome};
use treaty_nats::Outgoing;
use uuid::Uuid;

use super::SyncError;
use super::locked::LockedSync;
use super::model::{Admission, Ended, Job, Outcome, SyncSettings, SyncState};
use super::repository::PgSyncs;
use super::rules::{self, Decision, Wish};
use crate::convert;

/// Lets one sync of an athlete run at a time.
#[derive(Clone)]
pub struct Syncs {
    inner: Arc<Inner>,
}

struct Inner {
    repository: PgSyncs,
    settings: SyncSettings,
}

impl Syncs {
    /// The rules over a repository.
    #[must_use]
    pub fn new(repository: PgSyncs, settings: SyncSettings) -> Self {
        Self { inner: Arc::new(Inner { repository, settings }) }
    }

    /// What is set.
    #[must_use]
    pub fn settings(&self) -> &SyncSettings {
        &self.inner.settings
    }

    /// Decides what becomes of a job.
    ///
    /// # Errors
    /// When there is no such athlete, or a later delivery of the job's message is at work.
    pub async fn begin(&self, job: &Job) -> Result<Admission, SyncError> {
        let settings = &self.inner.settings;
        let mut locked = self.inner.repository.lock(job.athlete_id).await?;
        if locked.ended(&job.request_id).await?.is_some() {
            return Ok(Admission::Done);
        }
        let newest = locked.newest().await?;
        let begin = match rules::decide(locked.row(), job, newest, locked.now(), settings) {
            Decision::Done => return Ok(Admission::Done),
            Decision::Fold(wish) => {
                locked.remember(wish).await?;
                return Ok(Admission::Folded);
            }
            Decision::Superseded => {
                return Err(SyncError::Superseded { lease_time: settings.lease_time });
            }
            Decision::GoOn => None,
            Decision::Begin(walk) => Some(walk),
        };
        locked.admit(job, begin, settings.lease_time).await.map(Admission::Admitted)
    }

    /// Keeps a lease for another while.
    ///
    /// # Errors
    /// When another sync has taken over.
    pub async fn renew(&self, athlete_id: Uuid, lease: i64) -> Result<(), SyncError> {
        let lease_time = self.inner.settings.lease_time;
        match self.inner.repository.renew(athlete_id, lease, lease_time).await? {
            true => Ok(()),
            false => Err(SyncError::Superseded { lease_time }),
        }
    }

    /// Ends a sync. One that has ended before is answered as the first time.
    ///
    /// # Errors
    /// When another sync has taken over.
    pub async fn end(
        &self,
        athlete_id: Uuid,
        request_id: &str,
        lease: i64,
        outcome: Outcome,
    ) -> Result<Ended, SyncError> {
        let mut locked = self.inner.repository.lock(athlete_id).await?;
        let row = locked.row();
        let own = row.lease == lease && row.lease_holder.is_some();
        if !own || row.lease_request_id.as_deref() != Some(request_id) {
            let superseded = SyncError::Superseded { lease_time: self.inner.settings.lease_time };
            return locked.ended(request_id).await?.ok_or(superseded);
        }
        let (deleted, follow_up) = match outcome {
            Outcome::Succeeded => succeed(&mut locked).await?,
            Outcome::NeedsConsent => {
                locked.lose_consent().await?;
                (0, rules::follow_up_of_refusal(locked.row()))
            }
        };
        let row = locked.row();
        let ended = Ended {
            activities: row.walk_listed,
            inserted: row.walk_inserted,
            deleted,
            follow_up: follow_up.is_some(),
        };
        // In the order of subjects, see `outbox::append`.
        let mut messages = vec![end_message(&locked, request_id, outcome, ended)?];
        if let Some(wish) = follow_up {
            messages.push(next_job(athlete_id, wish)?);
        }
        locked.end(request_id, outcome, ended, &messages).await?;
        Ok(ended)
    }

    /// How far an athlete's activities are known.
    ///
    /// # Errors
    /// When there is no such athlete.
    pub async fn state(&self, athlete_id: Uuid) -> Result<SyncState, SyncError> {
        self.inner.repository.state(athlete_id).await?.ok_or(SyncError::AthleteNotFound)
    }
}

async fn succeed(locked: &mut LockedSync) -> Result<(i32, Option<Wish>), SyncError> {
    let row = locked.row();
    let full = row.walk_full == Some(true);
    let follow_up = rules::follow_up(row, locked.now());
    let nothing = full && row.walk_listed == 0;
    // An empty list is a mistake more often than an end: only the second one in a row is believed.
    let believed = !nothing || row.listed_nothing;
    // Any of our rows may be one of those that could not be read.
    let deletes = full && believed && row.walk_unusable == 0;
    let deleted = if deletes { locked.delete_unlisted().await? } else { 0 };
    locked.succeed(nothing).await?;
    Ok((deleted, follow_up))
}

fn end_message(
    locked: &LockedSync,
    request_id: &str,
    outcome: Outcome,
    ended: Ended,
) -> Result<Outgoing, SyncError> {
    let outcome = match outcome {
        Outcome::Succeeded => EventOutcome::Succeeded,
        Outcome::NeedsConsent => EventOutcome::NeedsConsent,
    };
    let event = AthleteSyncEnded {
        athlete_id: locked.row().athlete_id.to_string(),
        request_id: request_id.to_owned(),
        outcome: outcome.into(),
        activities: ended.activities,
        inserted: ended.inserted,
        end_time: Some(convert::timestamp(locked.now())),
    };
    Outgoing::from_event(&event).map_err(SyncError::Message)
}

/// The job that does what was asked for while a sync ran.
pub(super) fn next_job(athlete_id: Uuid, wish: Wish) -> Result<Outgoing, SyncError> {
    let job = SyncAthlete {
        athlete_id: athlete_id.to_string(),
        request_id: Uuid::now_v7().to_string(),
        reason: wish.reason.into(),
        request_time: Some(convert::timestamp(wish.at)),
        full: wish.full,
    };
    Outgoing::from_event(&job).map_err(SyncError::Message)
}
