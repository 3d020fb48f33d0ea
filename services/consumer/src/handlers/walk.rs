//! The way through Strava's list of an athlete's activities.
//!
//! Pages are asked for by time and not by number: the bound of the next one is the last activity's
//! start, its second included. A list that changes while it is read, because an activity was
//! deleted or came in, moves what a number stands for, and an activity between two pages is never
//! seen; a start stays where it is. Where a walk was interrupted it goes on by the same bound.
//!
//! A page that is not full may still not be the last, for Strava leaves out what we may not see:
//! only the empty page ends the list. Whether there is one is asked by number, under the bound of
//! the page before, which costs no more calls than counting pages does. When it is not empty after
//! all, the walk goes on by time.

use std::collections::HashSet;

use consumer_port::activities_v1::Activity;
use consumer_port::sync_v1::ListPosition;

use crate::strava::{Page, PageQuery};

/// Most activities of one second that are remembered, so that pages which overlap in it are not
/// handed over twice. More are handed over again, which changes nothing but a count.
const MAX_REMEMBERED: usize = 1_000;

/// A walk through a list, newest first, or oldest first when it has a lower bound.
#[derive(Debug)]
pub(super) struct Walk {
    ask: PageQuery,
    /// Where to go when the page that is asked for, to see whether the list has ended, is not empty.
    otherwise: Option<PageQuery>,
    page_size: usize,
    /// The start that the next page may have in common with those before, and what had it.
    edge: Option<i64>,
    at_edge: HashSet<i64>,
}

/// What to do with a page.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// The list has ended.
    End,
    /// The page told that the list goes on, nothing else.
    Discard,
    /// Its activities are to be handed over.
    Keep {
        /// Those that the page before did not have.
        activities: Vec<Activity>,
        /// Where to read on once they are.
        next: ListPosition,
    },
}

impl Walk {
    /// From a position on, in pages of this size.
    pub(super) fn from(position: ListPosition, page_size: u32) -> Self {
        let ask = PageQuery {
            after: position.after,
            before: position.before,
            page: u32::try_from(position.page).unwrap_or(1).max(1),
        };
        let page_size = usize::try_from(page_size).unwrap_or(usize::MAX);
        Self { ask, otherwise: None, page_size, edge: None, at_edge: HashSet::new() }
    }

    /// The page to ask for.
    pub(super) fn query(&self) -> PageQuery {
        self.ask
    }

    /// Takes the page that was asked for.
    pub(super) fn take(&mut self, page: Page) -> Step {
        if page.is_empty() {
            return Step::End;
        }
        if let Some(onward) = self.otherwise.take() {
            self.ask = onward;
            return Step::Discard;
        }
        let is_full = page.activities.len() + page.skipped.len() >= self.page_size;
        let edge = self.edge_of(&page.activities);
        let onward = edge.and_then(|edge| self.beyond(edge));
        let by_number = PageQuery { page: self.ask.page.saturating_add(1), ..self.ask };
        let activities = self.new_ones(page.activities, edge);
        // Where there is no way on by time, more than a page lies in one second.
        self.otherwise = onward.filter(|_| !is_full);
        self.ask = onward.filter(|_| is_full).unwrap_or(by_number);
        Step::Keep { activities, next: position(onward.unwrap_or(by_number)) }
    }

    /// The start of the page's last activity, wherever on the page it stands.
    fn edge_of(&self, activities: &[Activity]) -> Option<i64> {
        let starts = activities.iter().filter_map(start);
        if self.ask.after.is_some() { starts.max() } else { starts.min() }
    }

    /// The first page from this start on, if that is further than the one asked for.
    fn beyond(&self, edge: i64) -> Option<PageQuery> {
        // Bounds are exclusive.
        let (further, query) = match self.ask.after {
            Some(after) => {
                let bound = edge.saturating_sub(1);
                (bound > after, PageQuery { after: Some(bound), page: 1, ..self.ask })
            }
            None => {
                let bound = edge.saturating_add(1);
                let further = self.ask.before.is_none_or(|before| bound < before);
                (further, PageQuery { before: Some(bound), page: 1, ..self.ask })
            }
        };
        further.then_some(query)
    }

    fn new_ones(&mut self, activities: Vec<Activity>, edge: Option<i64>) -> Vec<Activity> {
        let at_edge: Vec<i64> = activities
            .iter()
            .filter(|activity| edge.is_some() && start(activity) == edge)
            .map(|activity| activity.activity_id)
            .collect();
        let known = |activity: &Activity| self.at_edge.contains(&activity.activity_id);
        let new = activities.into_iter().filter(|activity| !known(activity)).collect();
        if edge != self.edge {
            self.edge = edge;
            self.at_edge.clear();
        }
        let room = MAX_REMEMBERED.saturating_sub(self.at_edge.len());
        self.at_edge.extend(at_edge.into_iter().take(room));
        new
    }
}

fn start(activity: &Activity) -> Option<i64> {
    activity.start_time.as_ref().map(|time| time.seconds)
}

fn position(query: PageQuery) -> ListPosition {
    ListPosition {
        after: query.after,
        before: query.before,
        page: i32::try_from(query.page).unwrap_or(i32::MAX),
    }
}

#[cfg(test)]
mod tests;
