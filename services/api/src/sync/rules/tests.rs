use uuid::Uuid;

use super::*;
use std::time::Duration;

const SETTINGS: SyncSettings =
    SyncSettings { lease_time: Duration::from_secs(60), overlap: Duration::from_secs(100) };

/// So many seconds after a certain time.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn job(asked: i64) -> Job {
    Job {
        athlete_id: Uuid::nil(),
        request_id: "mine".to_owned(),
        reason: SyncReason::Schedule,
        requested_at: Some(at(asked)),
        full: false,
        holder: "athlete:7".to_owned(),
        attempt: 1,
    }
}

/// An athlete whose whole list was walked through at 0, and of whom nothing runs.
fn known() -> SyncStatesRow {
    SyncStatesRow {
        athlete_id: Uuid::nil(),
        lease: 3,
        lease_holder: None,
        lease_attempt: 0,
        lease_request_id: None,
        lease_reason: 0,
        lease_requested_at: None,
        lease_began_at: None,
        lease_expires_at: None,
        walk_full: None,
        walk_request_id: None,
        walk_began_at: None,
        walk_after: None,
        walk_before: None,
        walk_page: 1,
        walk_listed: 0,
        walk_unusable: 0,
        walk_inserted: 0,
        generation: 1,
        synced_up_to: Some(at(0)),
        last_full_walk_at: Some(at(0)),
        listed_nothing: false,
        wanted_at: None,
        wanted_reason: 0,
        wanted_full: false,
    }
}

/// An athlete whom another job syncs since 100, until 160 at least.
fn running(full: bool) -> SyncStatesRow {
    SyncStatesRow {
        lease_holder: Some("athlete:5".to_owned()),
        lease_attempt: 2,
        lease_request_id: Some("other".to_owned()),
        lease_requested_at: Some(at(99)),
        lease_began_at: Some(at(100)),
        lease_expires_at: Some(at(160)),
        walk_full: Some(full),
        walk_request_id: Some("other".to_owned()),
        walk_began_at: Some(at(100)),
        ..known()
    }
}

fn decided(row: &SyncStatesRow, job: &Job, now: i64) -> Decision {
    decide(row, job, Some(at(-50)), at(now), &SETTINGS)
}

#[test]
fn the_first_sync_walks_through_the_whole_list() {
    let unknown = SyncStatesRow { synced_up_to: None, last_full_walk_at: None, ..known() };
    assert_eq!(decided(&unknown, &job(10), 10), Decision::Begin(Walk::Full));
    let nothing_yet = decide(&known(), &job(10), None, at(10), &SETTINGS);
    assert_eq!(nothing_yet, Decision::Begin(Walk::Full));
}

#[test]
fn later_ones_begin_before_what_is_known() {
    let since = |newest: i64| decide(&known(), &job(50), Some(at(newest)), at(50), &SETTINGS);
    assert_eq!(since(-50), Decision::Begin(Walk::Since(at(-150).timestamp())));
    // An activity dated in the future hides nothing.
    assert_eq!(since(9_999_999), Decision::Begin(Walk::Since(at(-100).timestamp())));
    assert_eq!(
        decide(&known(), &job(50), Some(DateTime::UNIX_EPOCH), at(50), &SETTINGS),
        Decision::Begin(Walk::Since(0))
    );
}

#[test]
fn whoever_asks_for_all_and_whoever_consents_gets_all() {
    let all = Job { full: true, reason: SyncReason::Reconcile, ..job(50) };
    assert_eq!(decided(&known(), &all, 50), Decision::Begin(Walk::Full));
    let consent = Job { reason: SyncReason::Consent, ..job(50) };
    assert_eq!(decided(&known(), &consent, 50), Decision::Begin(Walk::Full));
}

#[test]
fn a_job_from_before_the_last_walk_is_done() {
    let synced = SyncStatesRow { synced_up_to: Some(at(100)), ..known() };
    assert_eq!(decided(&synced, &job(95), 200), Decision::Done);
    // Clocks differ: in doubt it is not.
    assert!(matches!(decided(&synced, &job(96), 200), Decision::Begin(_)));
    assert!(matches!(decided(&synced, &Job { full: true, ..job(50) }, 200), Decision::Begin(_)));
    let unknown = Job { requested_at: None, ..job(0) };
    assert!(matches!(decided(&synced, &unknown, 200), Decision::Begin(_)));
}

#[test]
fn while_another_runs_jobs_are_folded_into_one_wish() {
    let decision = decided(&running(false), &job(120), 130);
    let wish = Wish { at: at(120), reason: SyncReason::Schedule, full: false };
    assert_eq!(decision, Decision::Fold(wish));

    let wanted = SyncStatesRow {
        wanted_at: Some(at(125)),
        wanted_reason: 5,
        wanted_full: true,
        ..running(false)
    };
    let Decision::Fold(both) = decided(&wanted, &job(120), 130) else { panic!("folded") };
    assert_eq!(both, Wish { at: at(125), reason: SyncReason::Webhook, full: true });
    // Who asks from the future asks now.
    let Decision::Fold(both) = decided(&wanted, &job(500), 130) else { panic!("folded") };
    assert_eq!(both.at, at(130));
}

#[test]
fn a_lease_is_taken_over_by_its_own_message_at_once_and_by_others_when_it_has_expired() {
    let own = Job {
        request_id: "other".to_owned(),
        holder: "athlete:5".to_owned(),
        attempt: 3,
        ..job(99)
    };
    assert_eq!(decided(&running(true), &own, 110), Decision::GoOn);
    assert_eq!(decided(&running(false), &own, 110), Decision::GoOn);
    // So does the same delivery, when the answer to it was lost; an earlier one comes too late.
    assert_eq!(decided(&running(true), &Job { attempt: 2, ..own.clone() }, 110), Decision::GoOn);
    let late = Job { attempt: 1, ..own.clone() };
    assert_eq!(decided(&running(true), &late, 110), Decision::Superseded);
    // The same request published twice is two messages.
    let copy = Job { holder: "athlete:6".to_owned(), ..own };
    assert!(matches!(decided(&running(true), &copy, 110), Decision::Fold(_)));

    assert_eq!(decided(&running(true), &job(120), 160), Decision::GoOn);
    assert_eq!(
        decided(&running(false), &job(120), 160),
        Decision::Begin(Walk::Since(at(-150).timestamp()))
    );
    let consent = Job { reason: SyncReason::Consent, ..job(120) };
    assert_eq!(decided(&running(true), &consent, 160), Decision::Begin(Walk::Full));
}

#[test]
fn nothing_follows_when_all_that_was_asked_for_is_done() {
    assert_eq!(follow_up(&running(true), at(150)), None);
    let before = SyncStatesRow { wanted_at: Some(at(90)), wanted_reason: 2, ..running(false) };
    assert_eq!(follow_up(&before, at(150)), None);
    let all_before = SyncStatesRow { wanted_full: true, ..before };
    assert!(follow_up(&all_before, at(150)).unwrap().full);
    let all_before = SyncStatesRow { walk_full: Some(true), ..all_before };
    assert_eq!(follow_up(&all_before, at(150)), None);
}

#[test]
fn what_was_asked_for_meanwhile_follows() {
    let during = SyncStatesRow { wanted_at: Some(at(120)), wanted_reason: 6, ..running(false) };
    let wish = Wish { at: at(120), reason: SyncReason::User, full: false };
    assert_eq!(follow_up(&during, at(150)), Some(wish));

    // A whole walk is not repeated at once, what came since it began is fetched.
    let all = SyncStatesRow { wanted_full: true, walk_full: Some(true), ..during.clone() };
    assert_eq!(follow_up(&all, at(150)), Some(wish));
    let consent = SyncStatesRow { wanted_reason: 1, ..all };
    let again = Wish { at: at(120), reason: SyncReason::Consent, full: true };
    assert_eq!(follow_up(&consent, at(150)), Some(again));
    assert_eq!(follow_up_of_refusal(&consent), Some(again));
    assert_eq!(follow_up_of_refusal(&during), None);
}

#[test]
fn who_goes_on_with_anothers_walk_gets_what_came_since_it_began() {
    let taken_over = SyncStatesRow {
        lease_holder: Some("athlete:7".to_owned()),
        lease_request_id: Some("mine".to_owned()),
        lease_reason: 2,
        lease_requested_at: Some(at(500)),
        ..running(true)
    };
    let wish = Wish { at: at(500), reason: SyncReason::Schedule, full: false };
    assert_eq!(follow_up(&taken_over, at(600)), Some(wish));
}
