//! Rules of lists.

use std::collections::HashSet;

use super::Family;
use crate::cel::Key;
use crate::{Field, Kind, Report};

/// `repeated`.
pub const REPEATED: Family = Family::new("repeated", 18, Kind::Message);

/// `min_items`: the list has at least so many items.
#[inline]
pub fn min_items(report: &mut Report, length: usize, least: u64) {
    if (length as u64) < least {
        let leaf = Field::new(1, "min_items", Kind::Uint64);
        let message = format!("must contain at least {least} item(s)");
        report.broken(&REPEATED, leaf, "min_items", message);
    }
}

/// `max_items`: the list has at most so many items.
#[inline]
pub fn max_items(report: &mut Report, length: usize, most: u64) {
    if length as u64 > most {
        let leaf = Field::new(2, "max_items", Kind::Uint64);
        let message = format!("must contain no more than {most} item(s)");
        report.broken(&REPEATED, leaf, "max_items", message);
    }
}

/// `unique`: no item of the list is there twice.
#[inline]
pub fn unique<T: PartialEq + Key>(report: &mut Report, items: &[T]) {
    if !is_unique(items) {
        let leaf = Field::new(3, "unique", Kind::Bool);
        report.broken(&REPEATED, leaf, "unique", "repeated value must contain unique items");
    }
}

/// Short lists are compared pair by pair, which needs no memory.
#[inline]
fn is_unique<T: PartialEq + Key>(items: &[T]) -> bool {
    const SHORT: usize = 8;
    if items.len() <= SHORT {
        return items.iter().enumerate().all(|(index, item)| !items[..index].contains(item));
    }
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().filter_map(Key::hashed).all(|hashed| seen.insert(hashed))
}
