//! Rules of enums, by number.

use super::{Family, shown};
use crate::{Field, Kind, Report};

/// `enum`.
pub const ENUM: Family = Family::new("enum", 16, Kind::Int32);

/// `defined_only`: the number is a value of the enum.
#[inline]
pub fn defined(report: &mut Report, is_defined: bool) {
    if !is_defined {
        let leaf = Field::new(2, "defined_only", Kind::Bool);
        report.broken(&ENUM, leaf, "defined_only", "value must be one of the defined enum values");
    }
}

/// `in`: the number is one of these.
#[inline]
pub fn one_of(report: &mut Report, value: i32, allowed: &[i32]) {
    if !allowed.contains(&value) {
        let message = format!("must be in list {}", shown(allowed));
        report.broken(&ENUM, Field::new(3, "in", Kind::Int32), "in", message);
    }
}

/// `not_in`: the number is none of these.
#[inline]
pub fn none_of(report: &mut Report, value: i32, forbidden: &[i32]) {
    if forbidden.contains(&value) {
        let message = format!("must not be in list {}", shown(forbidden));
        report.broken(&ENUM, Field::new(4, "not_in", Kind::Int32), "not_in", message);
    }
}
