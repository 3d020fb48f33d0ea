//! What the events of one athlete ask for. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use stravasync_schema::{WebhookAspect, WebhookObject};

/// After this an activity that has not come is left to the reconciliation.
const LOOK_FOR: TimeDelta = TimeDelta::days(1);

/// What a sync of new activities looks back to moves on until the job is done; by less than this.
const MARGIN: Duration = Duration::from_secs(3600);

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) event_digest: Vec<u8>,
    pub(super) object_type: WebhookObject,
    pub(super) object_id: i64,
    pub(super) aspect_type: WebhookAspect,
    pub(super) deauthorized: bool,
    pub(super) event_time: DateTime<Utc>,
    pub(super) job_promised_at: Option<DateTime<Utc>>,
}

/// Whether the athlete is said to have withdrawn the consent.
pub(super) fn deauthorizes(events: &[Pending]) -> bool {
    events.iter().any(|event| event.deauthorized)
}

/// Activities that are said to be gone, and since when.
pub(super) fn deleted(events: &[Pending]) -> BTreeMap<i64, DateTime<Utc>> {
    let mut deleted = BTreeMap::new();
    for event in events.iter().filter(|event| event.tells_of(WebhookAspect::Delete)) {
        let since = deleted.entry(event.object_id).or_insert(event.event_time);
        *since = event.event_time.max(*since);
    }
    deleted
}

impl Pending {
    fn tells_of(&self, aspect_type: WebhookAspect) -> bool {
        self.object_type == WebhookObject::Activity && self.aspect_type == aspect_type
    }
}

/// What is known of the athlete, once what is gone is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The database's time.
    pub(super) now: DateTime<Utc>,
    /// Whether the consent holds, as far as we know.
    pub(super) connected: bool,
    /// Activities of the events that we have, with their starts.
    pub(super) present: BTreeMap<i64, DateTime<Utc>>,
    /// Activities of the events that were deleted, and when, as Strava says.
    pub(super) deleted: BTreeMap<i64, DateTime<Utc>>,
    /// The latest start of an activity that we have.
    pub(super) newest: Option<DateTime<Utc>>,
    /// When the last sync that came to its end began to read Strava's list.
    pub(super) synced_up_to: Option<DateTime<Utc>>,
    /// When the last that read all of the list began to.
    pub(super) last_full_walk_at: Option<DateTime<Utc>>,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing is left to do.
    Over,
    /// A job is promised for it.
    Job,
    /// A job for the whole list is promised for it.
    FullJob,
    /// The job that was promised has not ended.
    Wait,
}

impl Known {
    /// What becomes of an event, whatever order events come in: a deletion that happened later than
    /// it, or in the same second, has the last word.
    pub(super) fn fate(&self, event: &Pending, overlap: Duration) -> Fate {
        let is_change =
            event.tells_of(WebhookAspect::Create) || event.tells_of(WebhookAspect::Update);
        let deleted = self.deleted.get(&event.object_id);
        if !is_change || !self.connected || deleted.is_some_and(|at| *at >= event.event_time) {
            return Fate::Over;
        }
        let start = self.present.get(&event.object_id);
        match (event.job_promised_at, start) {
            (None, Some(start)) if self.is_beyond(*start, overlap) => Fate::FullJob,
            (None, _) => Fate::Job,
            (Some(_), Some(_)) => Fate::Over,
            (Some(promised), None) => self.fate_of_absent(promised),
        }
    }

    /// An activity that a job was to bring has not come: it may have been recorded long ago and
    /// uploaded now, so that a sync of new activities does not see it.
    fn fate_of_absent(&self, promised: DateTime<Utc>) -> Fate {
        let since = |walk: Option<DateTime<Utc>>| walk.is_some_and(|began| began > promised);
        if since(self.last_full_walk_at) {
            // All of the list was read, and it is not in it: gone, or not for us to see.
            Fate::Over
        } else if since(self.synced_up_to) {
            Fate::FullJob
        } else if self.now - promised > LOOK_FOR {
            Fate::Over
        } else {
            Fate::Wait
        }
    }

    /// Whether a sync of new activities does not look back to this start.
    fn is_beyond(&self, start: DateTime<Utc>, overlap: Duration) -> bool {
        let (Some(newest), Some(synced)) = (self.newest, self.synced_up_to) else { return false };
        let look_back = TimeDelta::from_std(overlap.saturating_sub(MARGIN));
        let bound = newest.min(synced).checked_sub_signed(look_back.unwrap_or(TimeDelta::MAX));
        bound.is_some_and(|bound| start < bound)
    }
}

#[cfg(test)]
mod tests {
    use WebhookAspect::{Create, Delete, Update};

    use super::*;

    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

    fn day(day: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(day)
    }

    fn event(aspect_type: WebhookAspect, object_id: i64, second: i64) -> Pending {
        Pending {
            event_digest: Vec::new(),
            object_type: WebhookObject::Activity,
            object_id,
            aspect_type,
            deauthorized: false,
            event_time: DateTime::from_timestamp(second, 0).unwrap(),
            job_promised_at: None,
        }
    }

    fn promised(at: DateTime<Utc>) -> Pending {
        Pending { job_promised_at: Some(at), ..event(Create, 1, 0) }
    }

    /// Synced up to day 100, with a newest activity of day 99.
    fn known() -> Known {
        Known {
            now: day(101),
            connected: true,
            newest: Some(day(99)),
            synced_up_to: Some(day(100)),
            last_full_walk_at: Some(day(50)),
            ..Known::default()
        }
    }

    #[test]
    fn the_last_deletion_of_each_activity_counts() {
        let told = [event(Delete, 1, 12), event(Create, 2, 1), event(Delete, 1, 11)];
        assert_eq!(deleted(&told), BTreeMap::from([(1, told[0].event_time)]));
        let mut athlete = event(Delete, 1, 1);
        athlete.object_type = WebhookObject::Athlete;
        assert!(deleted(&[athlete]).is_empty());
    }

    #[test]
    fn a_deletion_outdoes_what_happened_before_it_and_nothing_after() {
        let at = DateTime::from_timestamp(12, 0).unwrap();
        let known = Known { deleted: BTreeMap::from([(1, at)]), ..known() };
        for (second, fate) in [(11, Fate::Over), (12, Fate::Over), (13, Fate::Job)] {
            assert_eq!(known.fate(&event(Create, 1, second), WEEK), fate, "{second}");
        }
        assert_eq!(known.fate(&event(Delete, 1, 13), WEEK), Fate::Over);
        assert_eq!(known.fate(&event(Update, 2, 1), WEEK), Fate::Job);
    }

    #[test]
    fn without_consent_there_is_nothing_to_ask_for() {
        let known = Known { connected: false, ..known() };
        assert_eq!(known.fate(&event(Create, 1, 1), WEEK), Fate::Over);
        assert_eq!(known.fate(&promised(day(100)), WEEK), Fate::Over);
    }

    #[test]
    fn a_change_of_what_a_sync_does_not_look_back_to_takes_a_whole_walk() {
        let with = |start| Known { present: BTreeMap::from([(1, start)]), ..known() };
        assert_eq!(with(day(93)).fate(&event(Update, 1, 1), WEEK), Fate::Job);
        assert_eq!(with(day(92)).fate(&event(Update, 1, 1), WEEK), Fate::FullJob, "the margin");
        assert_eq!(with(day(1)).fate(&event(Update, 1, 1), WEEK), Fate::FullJob);
        let never = Known { synced_up_to: None, ..with(day(1)) };
        assert_eq!(never.fate(&event(Update, 1, 1), WEEK), Fate::Job, "the first walk is whole");
    }

    #[test]
    fn an_activity_that_does_not_come_is_looked_for_in_the_whole_list_once() {
        let promised = promised(day(100));
        assert_eq!(known().fate(&promised, WEEK), Fate::Wait, "the sync has not ended");
        let late = Known { now: day(102), ..known() };
        assert_eq!(late.fate(&promised, WEEK), Fate::Over, "left to the reconciliation");
        let ended = Known { synced_up_to: Some(day(101)), ..known() };
        assert_eq!(ended.fate(&promised, WEEK), Fate::FullJob);
        let all = Known { last_full_walk_at: Some(day(101)), ..ended.clone() };
        assert_eq!(all.fate(&promised, WEEK), Fate::Over, "it is not in the list");
        let present = Known { present: BTreeMap::from([(1, day(3))]), ..ended };
        assert_eq!(present.fate(&promised, WEEK), Fate::Over);
    }

    #[test]
    fn an_athlete_s_event_asks_for_nothing_but_the_end() {
        let mut withdrawn = event(Update, 7, 1);
        withdrawn.object_type = WebhookObject::Athlete;
        assert!(!deauthorizes(std::slice::from_ref(&withdrawn)));
        assert_eq!(known().fate(&withdrawn, WEEK), Fate::Over);
        withdrawn.deauthorized = true;
        assert!(deauthorizes(&[withdrawn]));
    }
}
