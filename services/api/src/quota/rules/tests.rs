use super::*;

/// A midnight.
const MIDNIGHT: i64 = 1_767_225_600;

const SETTINGS: QuotaSettings = QuotaSettings {
    window: TimeDelta::seconds(900),
    day: TimeDelta::seconds(86_400),
    margin: TimeDelta::seconds(2),
    reserve_percent: 10,
    probe_patience: TimeDelta::seconds(2),
    wary_patience: TimeDelta::seconds(120),
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(MIDNIGHT + seconds, 0).unwrap()
}

/// A state that begins at midnight and allows this many reads; of other calls there is plenty.
fn state(window: i64, day: i64) -> QuotaState {
    let plenty = Count { limit: 1_000_000, used: 0 };
    QuotaState {
        window_started_at: at(0),
        day_started_at: at(0),
        counts: Counts {
            window: plenty,
            day: plenty,
            read_window: Count { limit: window, used: 0 },
            read_day: Count { limit: day, used: 0 },
        },
        answered: true,
        probed_until: None,
        refused: false,
        closed_until: None,
    }
}

fn ask(state: &mut QuotaState, priority: Priority, calls: i64, seconds: i64) -> Reservation {
    state.reserve(Asked { priority, calls }, at(seconds), &SETTINGS)
}

fn interactive(state: &mut QuotaState, seconds: i64) -> Reservation {
    ask(state, Priority::Interactive, 1, seconds)
}

fn background(state: &mut QuotaState, seconds: i64) -> Reservation {
    ask(state, Priority::Background, 1, seconds)
}

fn is_granted(reservation: Reservation) -> bool {
    matches!(reservation, Reservation::Granted { .. })
}

fn waits(reservation: Reservation) -> (WaitReason, u64) {
    match reservation {
        Reservation::Wait { reason, retry_after } => (reason, retry_after.as_secs()),
        Reservation::Granted { .. } => panic!("{reservation:?}"),
    }
}

fn usage(window_started: i64, used: i64, refused: bool) -> Usage {
    let counts = Counts {
        read_window: Some(Count { limit: 100, used }),
        read_day: Some(Count { limit: 1_000, used }),
        ..Counts::default()
    };
    Usage { window_started_at: at(window_started), counts, refused }
}

#[test]
fn no_more_than_the_limit_is_reserved_and_the_window_opens_again() {
    let mut state = state(10, 1_000);
    let granted = (0..20).filter(|_| is_granted(interactive(&mut state, 100))).count();
    assert_eq!(granted, 10);
    assert_eq!(waits(interactive(&mut state, 100)), (WaitReason::Spent, 802));
    assert_eq!(waits(interactive(&mut state, 901)), (WaitReason::Turning, 1));
    assert!(is_granted(interactive(&mut state, 902)));
    assert_eq!(state.counts.read_window.used, 1);
    assert_eq!(state.counts.read_day.used, 11);
}

#[test]
fn the_day_is_a_window_too() {
    let mut state = state(100, 3);
    assert_eq!((0..9).filter(|_| is_granted(interactive(&mut state, 100))).count(), 3);
    let tomorrow = 86_400 - 100 + 2;
    assert_eq!(waits(interactive(&mut state, 100)), (WaitReason::Spent, tomorrow));
    assert_eq!(waits(interactive(&mut state, 1_000)), (WaitReason::Spent, tomorrow - 900));
    assert!(is_granted(interactive(&mut state, 86_403)));
}

#[test]
fn background_calls_leave_the_reserve() {
    let mut state = state(20, 1_000);
    assert_eq!((0..30).filter(|_| is_granted(background(&mut state, 100))).count(), 18);
    assert_eq!(waits(background(&mut state, 100)).0, WaitReason::Reserved);
    assert_eq!((0..30).filter(|_| is_granted(interactive(&mut state, 100))).count(), 2);
    assert_eq!(waits(background(&mut state, 100)).0, WaitReason::Spent);
    // A limit too small to have a tenth of keeps nothing.
    let mut state = self::state(5, 1_000);
    assert_eq!((0..30).filter(|_| is_granted(background(&mut state, 100))).count(), 5);
}

#[test]
fn leases_are_large_while_there_is_room_and_small_when_there_is_little() {
    let lease = |limit, wanted| {
        let mut state = state(limit, 100_000_000);
        match ask(&mut state, Priority::Interactive, wanted, 100) {
            Reservation::Granted { calls, .. } => calls,
            Reservation::Wait { .. } => 0,
        }
    };
    assert_eq!(lease(1_000_000, 100), 100);
    assert_eq!(lease(1_000_000, 3), 3);
    assert_eq!(lease(1_000, 100), 20);
    assert_eq!(lease(40, 100), 1);
    assert_eq!(lease(0, 100), 0);
}

#[test]
fn calls_are_void_before_the_window_turns() {
    let mut state = state(100, 1_000);
    let granted = interactive(&mut state, 890);
    let valid_for = Duration::from_secs(8);
    assert_eq!(granted, Reservation::Granted { calls: 1, valid_for, probe: false });
    assert_eq!(waits(interactive(&mut state, 898)), (WaitReason::Turning, 4));
}

#[test]
fn each_window_begins_with_one_call_and_the_rest_follow_its_answer() {
    let mut state = state(100, 1_000);
    let probe = ask(&mut state, Priority::Background, 50, 902);
    let Reservation::Granted { calls: 1, probe: true, .. } = probe else { panic!("{probe:?}") };
    assert_eq!(waits(interactive(&mut state, 902)).0, WaitReason::Probed);
    assert!(state.learn(usage(900, 40, false), at(903), &SETTINGS));
    assert_eq!(state.counts.read_window.used, 40, "somebody else calls too");
    assert!(is_granted(interactive(&mut state, 903)));
}

#[test]
fn a_first_answer_that_does_not_come_holds_up_nobody_for_long() {
    let mut state = state(100, 1_000);
    assert!(is_granted(background(&mut state, 902)));
    assert_eq!(waits(background(&mut state, 903)).0, WaitReason::Probed);
    assert!(is_granted(background(&mut state, 904)));
    assert!(is_granted(background(&mut state, 904)));
}

#[test]
fn after_a_refusal_nobody_calls_and_then_one() {
    let mut state = state(100, 1_000);
    assert!(state.learn(usage(0, 50, true), at(100), &SETTINGS));
    assert_eq!(waits(interactive(&mut state, 100)), (WaitReason::Refused, 802));
    // An answer to a call that was made before opens nothing.
    state.learn(usage(0, 49, false), at(101), &SETTINGS);
    assert_eq!(waits(interactive(&mut state, 101)).0, WaitReason::Refused);
    // In the next window there is one probe, however long its answer takes.
    assert!(is_granted(interactive(&mut state, 902)));
    assert_eq!(waits(interactive(&mut state, 1_000)).0, WaitReason::Probed);
    state.learn(usage(900, 51, true), at(1_001), &SETTINGS);
    assert_eq!(waits(interactive(&mut state, 1_001)), (WaitReason::Refused, 801));
    // One that succeeds opens.
    assert!(is_granted(interactive(&mut state, 1_802)));
    state.learn(usage(1_800, 1, false), at(1_803), &SETTINGS);
    assert!(
        is_granted(interactive(&mut state, 1_803)) && is_granted(interactive(&mut state, 1_803))
    );
}

#[test]
fn a_refusal_that_names_the_day_closes_it() {
    let mut state = state(100, 1_000);
    let mut refused = usage(0, 50, true);
    refused.counts.day = Some(Count { limit: 2_000, used: 2_001 });
    state.learn(refused, at(100), &SETTINGS);
    assert_eq!(waits(interactive(&mut state, 100)), (WaitReason::Refused, 86_302));
}

#[test]
fn what_was_learnt_in_another_window_counts_for_the_day_alone() {
    let mut state = state(100, 1_000);
    state.learn(usage(0, 90, false), at(905), &SETTINGS);
    assert_eq!((state.counts.read_window.used, state.counts.read_day.used), (0, 90));
    assert!(!state.answered);
    state.learn(usage(-900, 500, true), at(906), &SETTINGS);
    assert_eq!((state.counts.read_window.used, state.counts.read_day.used), (0, 90));
    assert_eq!(state.closed_until, None);
}

#[test]
fn a_clock_that_runs_back_gives_nothing_twice() {
    let mut state = state(10, 1_000);
    assert_eq!((0..20).filter(|_| is_granted(interactive(&mut state, 100))).count(), 10);
    assert!(!is_granted(interactive(&mut state, -100)));
    assert!(!is_granted(interactive(&mut state, 100)));
}
