//! Rules of maps.

use super::Family;
use crate::{Field, Kind, Report};

/// `map`.
pub const MAP: Family = Family::new("map", 19, Kind::Message);

/// `min_pairs`: the map has at least so many entries.
#[inline]
pub fn min_pairs(report: &mut Report, length: usize, least: u64) {
    if (length as u64) < least {
        let leaf = Field::new(1, "min_pairs", Kind::Uint64);
        report.broken(&MAP, leaf, "min_pairs", format!("map must be at least {least} entries"));
    }
}

/// `max_pairs`: the map has at most so many entries.
#[inline]
pub fn max_pairs(report: &mut Report, length: usize, most: u64) {
    if length as u64 > most {
        let leaf = Field::new(2, "max_pairs", Kind::Uint64);
        report.broken(&MAP, leaf, "max_pairs", format!("map must be at most {most} entries"));
    }
}
