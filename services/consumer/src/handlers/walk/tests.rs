use std::collections::BTreeMap;

use consumer_port::well_known::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

/// What an athlete has at Strava: starts by identifier.
type Listed = BTreeMap<i64, i64>;

fn activity((id, start): (&i64, &i64)) -> Activity {
    let start_time = Some(Timestamp { seconds: *start, nanos: 0 });
    Activity { activity_id: *id, start_time, ..Activity::default() }
}

/// A page as Strava makes it: bounds are exclusive, and a lower one turns the order.
fn page(listed: &Listed, query: PageQuery, page_size: usize) -> Page {
    let mut selected: Vec<_> = listed
        .iter()
        .filter(|(_, start)| query.after.is_none_or(|after| **start > after))
        .filter(|(_, start)| query.before.is_none_or(|before| **start < before))
        .map(activity)
        .collect();
    selected.sort_by_key(|activity| (start(activity), activity.activity_id));
    if query.after.is_none() {
        selected.reverse();
    }
    let first = (query.page as usize - 1) * page_size;
    let activities = selected.into_iter().skip(first).take(page_size).collect();
    Page { activities, skipped: Vec::new() }
}

/// Walks to the end. `meanwhile` happens before each page is asked for.
fn walk(
    listed: &mut Listed,
    from: ListPosition,
    page_size: usize,
    mut meanwhile: impl FnMut(&mut Listed, usize),
) -> (Vec<i64>, usize) {
    let mut walk = Walk::from(from, u32::try_from(page_size).unwrap());
    let mut found = Vec::new();
    for calls in 1.. {
        assert!(calls < 1_000, "no end");
        meanwhile(listed, calls);
        match walk.take(page(listed, walk.query(), page_size)) {
            Step::End => return (found, calls),
            Step::Discard => {}
            Step::Keep { activities, .. } => {
                found.extend(activities.iter().map(|activity| activity.activity_id));
            }
        }
    }
    unreachable!()
}

const NEWEST: ListPosition = ListPosition { after: None, before: None, page: 1 };

fn every_minute(activities: i64) -> Listed {
    (1..=activities).map(|number| (number, number * 60)).collect()
}

fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids
}

#[test]
fn calls_are_counted() {
    // As many as pages that are counted take, and one more when the last is full to the brim.
    for (activities, calls) in [(0, 1), (3, 2), (10, 3), (25, 4), (95, 12)] {
        let (found, took) = walk(&mut every_minute(activities), NEWEST, 10, |_, _| {});
        assert_eq!((found.len() as i64, took), (activities, calls), "{activities}");
    }
}

#[test]
fn a_list_that_shrinks_or_grows_while_it_is_read_loses_nothing() {
    let mut listed = every_minute(50);
    let (found, _) = walk(&mut listed, NEWEST, 10, |listed, calls| {
        // What was read already goes, which moves all later pages; newer ones come.
        let newest = *listed.keys().last().unwrap();
        listed.remove(&newest);
        listed.insert(1_000 + calls as i64, 1_000_000);
    });
    let untouched: Vec<i64> = (1..=40).collect();
    assert_eq!(sorted(found).into_iter().filter(|id| *id <= 40).collect::<Vec<_>>(), untouched);
}

#[test]
fn more_activities_of_one_second_than_a_page_holds_end_and_are_all_found() {
    for from in [NEWEST, ListPosition { after: Some(0), ..NEWEST }] {
        let mut listed: Listed = (1..=35).map(|id| (id, 600)).collect();
        listed.extend([(40, 60), (41, 700)]);
        let expected: Vec<i64> = listed.keys().copied().collect();
        let (found, _) = walk(&mut listed, from, 10, |_, _| {});
        assert_eq!(sorted(found), expected);
    }
}

#[test]
fn a_page_of_unusable_activities_is_passed_by_number() {
    let mut walk = Walk::from(NEWEST, 2);
    let unusable = Page { activities: Vec::new(), skipped: vec!["name", "id"] };
    let Step::Keep { next, .. } = walk.take(unusable) else { panic!("kept") };
    assert_eq!(next, ListPosition { page: 2, ..NEWEST });
    assert_eq!(walk.query(), PageQuery { page: 2, ..PageQuery::default() });
}

#[test]
fn a_page_that_is_not_full_may_be_followed_by_others() {
    // Strava has left out some of each page.
    let mut listed = every_minute(30);
    let mut walk = Walk::from(NEWEST, 10);
    let mut found = Vec::new();
    loop {
        let mut page = page(&listed, walk.query(), 10);
        page.activities.retain(|activity| activity.activity_id % 3 != 0);
        match walk.take(page) {
            Step::End => break,
            Step::Discard => {
                // Deleted between the two calls: a number would now miss one.
                listed.remove(&29);
            }
            Step::Keep { activities, .. } => {
                found.extend(activities.iter().map(|activity| activity.activity_id));
            }
        }
    }
    assert_eq!(sorted(found), (1..=30).filter(|id| id % 3 != 0).collect::<Vec<_>>());
}

#[test]
fn every_activity_is_found_once_wherever_the_walk_is_interrupted() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..2_000 {
        let activities = random.random_range(0..60);
        // Few seconds, so that many share one.
        let listed: Listed = (1..=activities).map(|id| (id, random.random_range(0..40))).collect();
        let page_size = random.random_range(1..8);
        let interruption = random.random_range(0.0..0.7);
        let after = random.random_bool(0.5).then_some(-1);
        let mut position = ListPosition { after, ..NEWEST };
        let mut walk = Walk::from(position, u32::try_from(page_size).unwrap());
        let mut found = Vec::new();
        for calls in 0.. {
            assert!(calls < 1_000, "no end");
            match walk.take(page(&listed, walk.query(), page_size)) {
                Step::End => break,
                Step::Discard => {}
                Step::Keep { activities, next } => {
                    found.extend(activities.iter().map(|activity| activity.activity_id));
                    position = next;
                }
            }
            if random.random_bool(interruption) {
                walk = Walk::from(position, u32::try_from(page_size).unwrap());
            }
        }
        let times = found.len();
        let mut found = sorted(found);
        found.dedup();
        assert_eq!(found, listed.keys().copied().collect::<Vec<_>>());
        // Only an interruption repeats what lies at the edge of a page.
        assert!(interruption > 0.0 || times == found.len());
    }
}
