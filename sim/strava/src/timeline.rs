//! An athlete's activities in order of time, and pages of them.

use std::ops::Range;

use crate::changes::Changes;
use crate::digest::Digest;
use crate::generate::{Activity, Generator};

/// One athlete's activities at one moment.
#[derive(Debug)]
pub(crate) struct Timeline<'a> {
    pub(crate) generator: &'a Generator,
    pub(crate) athlete: u64,
    /// `None` while nothing was changed, which most athletes stay.
    pub(crate) changes: Option<Changes>,
}

/// Which activities to list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selection {
    /// Only activities that started before this second.
    pub(crate) before: Option<i64>,
    /// Only activities that started after this second; they then come oldest first.
    pub(crate) after: Option<i64>,
    /// Whether to list what only the athlete sees.
    pub(crate) private_too: bool,
}

impl Selection {
    fn selects(&self, activity: &Activity) -> bool {
        self.before.is_none_or(|before| activity.start_date < before)
            && self.after.is_none_or(|after| activity.start_date > after)
            && (self.private_too || !activity.is_private())
    }

    fn oldest_first(&self) -> bool {
        self.after.is_some()
    }
}

/// What an athlete has, in two numbers each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) activities: u64,
    pub(crate) digest: Digest,
}

impl Timeline<'_> {
    /// One page; beyond the last it is empty.
    pub(crate) fn page(&self, selection: Selection, page: u64, per_page: u64) -> Vec<Activity> {
        let first = (page - 1).saturating_mul(per_page);
        if self.changes.is_none() && selection.private_too {
            return self.generated_page(selection, first, per_page);
        }
        let mut selected: Vec<_> = self.all().filter(|a| selection.selects(a)).collect();
        selected.sort_unstable_by_key(|activity| (activity.start_date, activity.id));
        if !selection.oldest_first() {
            selected.reverse();
        }
        selected.into_iter().skip(first as usize).take(per_page as usize).collect()
    }

    /// The common case without a scan: generated starts are ordered, so bounds are found by bisection.
    fn generated_page(&self, selection: Selection, first: u64, per_page: u64) -> Vec<Activity> {
        let places = self.places_between(selection);
        let count = (places.end - places.start).saturating_sub(first).min(per_page);
        let place = |position: u64| {
            if selection.oldest_first() {
                places.start + first + position
            } else {
                places.end - 1 - first - position
            }
        };
        (0..count).map(|position| self.generator.activity(self.athlete, place(position))).collect()
    }

    fn places_between(&self, selection: Selection) -> Range<u64> {
        let count = self.generator.activities();
        let start = selection.after.map_or(0, |after| self.first_place(|start| start > after));
        let end =
            selection.before.map_or(count, |before| self.first_place(|start| start >= before));
        start..end.max(start)
    }

    /// The first place whose start meets the condition, which all later ones then meet too.
    fn first_place(&self, meets: impl Fn(i64) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.generator.activities());
        while low < high {
            let middle = low + (high - low) / 2;
            if meets(self.generator.start_date(self.athlete, middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Every activity, in no promised order.
    fn all(&self) -> impl Iterator<Item = Activity> {
        let changes = self.changes.as_ref();
        let is_changed =
            move |sequence: &u64| changes.is_some_and(|c| c.places.contains_key(sequence));
        let untouched = (0..self.generator.activities())
            .filter(move |sequence| !is_changed(sequence))
            .map(|sequence| self.generator.activity(self.athlete, sequence));
        untouched.chain(changes.into_iter().flat_map(|c| c.places.values().flatten().cloned()))
    }

    /// What the athlete has in all, and of that what others may see.
    pub(crate) fn tallies(&self) -> (Tally, Tally) {
        let (mut all, mut shared) = (Tally::default(), Tally::default());
        for activity in self.all() {
            let count = |tally: &mut Tally| {
                tally.activities += 1;
                tally.digest.add(&activity.fingerprint());
            };
            count(&mut all);
            if !activity.is_private() {
                count(&mut shared);
            }
        }
        (all, shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Edit;

    const ALL: Selection = Selection { before: None, after: None, private_too: true };

    fn timeline(generator: &Generator, changes: Option<Changes>) -> Timeline<'_> {
        Timeline { generator, athlete: 4, changes }
    }

    #[test]
    fn the_quick_way_and_the_scan_agree() {
        let generator = Generator::new(8, 95, 50);
        let quick = timeline(&generator, None);
        let scan = timeline(&generator, Some(Changes::default()));
        let (early, late) = (generator.start_date(4, 10), generator.start_date(4, 80));
        let selections = [
            ALL,
            Selection { before: Some(late), ..ALL },
            Selection { after: Some(early), ..ALL },
            Selection { before: Some(late), after: Some(early), ..ALL },
            Selection { before: Some(early), after: Some(late), ..ALL },
        ];
        for selection in selections {
            for page in 1..6 {
                assert_eq!(quick.page(selection, page, 30), scan.page(selection, page, 30));
            }
        }
        assert_eq!(quick.tallies(), scan.tallies());
    }

    #[test]
    fn bounds_are_exclusive() {
        let generator = Generator::new(8, 20, 50);
        let timeline = timeline(&generator, None);
        let (early, late) = (generator.start_date(4, 3), generator.start_date(4, 7));
        let selection = Selection { before: Some(late), after: Some(early), ..ALL };
        let ids: Vec<_> = timeline.page(selection, 1, 30).iter().map(|a| a.id).collect();
        let expected: Vec<_> = (4..7).map(|k| generator.activity(4, k).id).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn changes_show() {
        let generator = Generator::new(8, 10, 50);
        let mut changes = Changes::default();
        let new = changes.create(&generator, 4, 2_000_000_000, Edit::default()).unwrap();
        let old = generator.activity(4, 3);
        let name = Some("renamed".to_owned());
        changes.update(&generator, old.id, Edit { name, ..Edit::default() }).unwrap();
        changes.delete(&generator, generator.activity(4, 0).id).unwrap();
        assert!(changes.delete(&generator, generator.activity(4, 0).id).is_none());
        let page = timeline(&generator, Some(changes)).page(ALL, 1, 30);
        assert_eq!(page.len(), 10);
        assert_eq!(page[0].id, new.id);
        assert_eq!(page.iter().find(|a| a.id == old.id).unwrap().name, "renamed");
    }
}
