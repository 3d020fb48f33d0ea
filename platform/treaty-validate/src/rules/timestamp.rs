//! Rules of `google.protobuf.Timestamp`: `equals` and `range` of the module above with
//! this family and [`crate::cel::Timestamp`], and those that compare with the clock.

use super::Family;
use crate::cel::{Duration, Timestamp};
use crate::{Field, Kind, Report};

/// `timestamp`.
pub const TIMESTAMP: Family = Family::shifted("timestamp", 22);

/// `lt_now`: the time is not in the future.
#[inline]
pub fn before_now(report: &mut Report, value: Timestamp) {
    if value > report.now() {
        let leaf = Field::new(7, "lt_now", Kind::Bool);
        report.broken(&TIMESTAMP, leaf, "lt_now", "must be less than now");
    }
}

/// `gt_now`: the time is not in the past.
#[inline]
pub fn after_now(report: &mut Report, value: Timestamp) {
    if value < report.now() {
        let leaf = Field::new(8, "gt_now", Kind::Bool);
        report.broken(&TIMESTAMP, leaf, "gt_now", "must be greater than now");
    }
}

/// `within`: the time is so near to now.
#[inline]
pub fn within(report: &mut Report, value: Timestamp, distance: Duration) {
    if report.now().distance(value) > distance {
        let leaf = Field::new(9, "within", Kind::Message);
        report.broken(&TIMESTAMP, leaf, "within", format!("must be within {distance} of now"));
    }
}
