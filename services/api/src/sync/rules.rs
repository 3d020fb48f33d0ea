//! What becomes of a job, and of what was asked for while a sync ran. Pure: all that is known comes
//! from the athlete's row.

use api_port::sync_v1::SyncReason;
use chrono::{DateTime, TimeDelta, Utc};
use stravasync_schema::SyncStatesRow;

use super::model::{Job, ListPosition, SyncSettings};

/// How far the clocks of those who ask may be behind the database's.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// What becomes of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It gets the lease and goes on with the walk that is under way.
    GoOn,
    /// It gets the lease and begins a walk.
    Begin(Walk),
    /// The sync that runs takes care of it.
    Fold(Wish),
    /// A sync that began after it was asked for has done it.
    Done,
    /// A later delivery of its message is at work.
    Superseded,
}

/// A way through Strava's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// All of it, newest first.
    Full,
    /// What started after this second since 1970, oldest first.
    Since(i64),
}

impl Walk {
    pub(super) fn start(self) -> ListPosition {
        match self {
            Self::Full => ListPosition::NEWEST,
            Self::Since(second) => ListPosition::after(second),
        }
    }
}

/// What is asked for beyond the sync that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) at: DateTime<Utc>,
    pub(super) reason: SyncReason,
    pub(super) full: bool,
}

impl Wish {
    /// What a row remembers.
    pub(super) fn remembered(row: &SyncStatesRow) -> Option<Self> {
        row.wanted_at.map(|at| Self {
            at,
            reason: reason(row.wanted_reason),
            full: row.wanted_full,
        })
    }

    fn of(job: &Job, now: DateTime<Utc>) -> Self {
        let at = job.requested_at.map_or(now, |at| at.min(now));
        Self { at, reason: job.reason, full: wants_all(job) }
    }

    /// One wish in place of two.
    fn and(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        let urgent = urgency(self.reason) >= urgency(other.reason);
        Self {
            at: self.at.max(other.at),
            reason: if urgent { self.reason } else { other.reason },
            full: self.full || other.full,
        }
    }
}

/// A number that was kept of a reason.
fn reason(number: i16) -> SyncReason {
    SyncReason::try_from(i32::from(number)).unwrap_or_default()
}

/// Which of two reasons stays when they become one. A consent may have changed what we may see.
fn urgency(reason: SyncReason) -> u8 {
    match reason {
        SyncReason::Consent => 6,
        SyncReason::User => 5,
        SyncReason::Webhook => 4,
        SyncReason::Backfill => 3,
        SyncReason::Schedule => 2,
        SyncReason::Reconcile => 1,
        SyncReason::Unspecified => 0,
    }
}

/// A consent may let us see more than before, or be another athlete's: the whole list is new.
fn wants_all(job: &Job) -> bool {
    job.full || job.reason == SyncReason::Consent
}

/// Decides about a job. `newest` is the latest start of an activity that we have.
pub(super) fn decide(
    row: &SyncStatesRow,
    job: &Job,
    newest: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    settings: &SyncSettings,
) -> Decision {
    let live = row.lease_expires_at.is_some_and(|end| end > now);
    // A message that is delivered again was given back, or its handler died or froze: it does not
    // wait for a lease that only an attempt has which is over.
    let own = row.lease_holder.as_ref() == Some(&job.holder);
    if live && !own {
        return Decision::Fold(Wish::of(job, now).and(Wish::remembered(row)));
    }
    // Delivered to a process that was frozen then.
    if live && job.attempt < row.lease_attempt {
        return Decision::Superseded;
    }
    if done_since(row, job) {
        return Decision::Done;
    }
    let own_walk = row.walk_request_id.as_ref() == Some(&job.request_id);
    match row.walk_full {
        Some(_) if own_walk => Decision::GoOn,
        // A backfill goes on with whatever job comes next. A consent begins anew, because it may
        // show what the pages so far did not.
        Some(true) if job.reason != SyncReason::Consent => Decision::GoOn,
        _ => Decision::Begin(walk(row, job, newest, settings)),
    }
}

/// Whether a walk that began after the job was asked for has come to its end.
fn done_since(row: &SyncStatesRow, job: &Job) -> bool {
    let Some(asked) = job.requested_at else { return false };
    let since = |walk: Option<DateTime<Utc>>| walk.is_some_and(|began| asked + CLOCK_SKEW <= began);
    since(row.synced_up_to) && (!wants_all(job) || since(row.last_full_walk_at))
}

fn walk(
    row: &SyncStatesRow,
    job: &Job,
    newest: Option<DateTime<Utc>>,
    settings: &SyncSettings,
) -> Walk {
    let (Some(_), Some(synced), Some(newest)) = (row.last_full_walk_at, row.synced_up_to, newest)
    else {
        // Who has nothing yet may bring a history of years.
        return Walk::Full;
    };
    if wants_all(job) {
        return Walk::Full;
    }
    // The earlier of the two: an activity dated in the future must not hide what comes before it.
    let overlap = TimeDelta::from_std(settings.overlap).unwrap_or(TimeDelta::MAX);
    let from = newest.min(synced).checked_sub_signed(overlap);
    from.map_or(Walk::Full, |from| Walk::Since(from.timestamp().max(0)))
}

/// What has to follow a walk that has come to its end, or `None` when it has done all that was
/// asked for.
pub(super) fn follow_up(row: &SyncStatesRow, now: DateTime<Utc>) -> Option<Wish> {
    let began = row.walk_began_at.unwrap_or(now);
    let full = row.walk_full == Some(true);
    let own_walk = row.walk_request_id == row.lease_request_id;
    // Who goes on with another's walk gets what existed when that began.
    let own = (!own_walk).then(|| Wish {
        at: row.lease_requested_at.or(row.lease_began_at).unwrap_or(now),
        reason: reason(row.lease_reason),
        full: false,
    });
    let wish = match (Wish::remembered(row), own) {
        (Some(wish), own) => wish.and(own),
        (None, Some(own)) => own,
        (None, None) => return None,
    };
    if wish.at + CLOCK_SKEW <= began && (full || !wish.full) {
        return None;
    }
    // A whole walk that ends after it was asked for is not begun again at once, unless a consent
    // has changed what can be seen; what came since it began is fetched.
    let full = wish.full && (!full || wish.reason == SyncReason::Consent);
    Some(Wish { full, ..wish })
}

/// What has to follow a sync that lacked consent: only a consent that was given meanwhile.
pub(super) fn follow_up_of_refusal(row: &SyncStatesRow) -> Option<Wish> {
    Wish::remembered(row).filter(|wish| wish.reason == SyncReason::Consent)
}

#[cfg(test)]
mod tests;
