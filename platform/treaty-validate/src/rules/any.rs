//! Rules of `google.protobuf.Any`, by type URL.

use super::Family;
use crate::{Field, Kind, Report};

/// `any`.
pub const ANY: Family = Family::new("any", 20, Kind::String);

/// `in`: the type is one of these.
#[inline]
pub fn one_of(report: &mut Report, type_url: &str, allowed: &[&str]) {
    if !allowed.contains(&type_url) {
        let leaf = Field::new(2, "in", Kind::String);
        report.broken(&ANY, leaf, "in", "type URL must be in the allow list");
    }
}

/// `not_in`: the type is none of these.
#[inline]
pub fn none_of(report: &mut Report, type_url: &str, forbidden: &[&str]) {
    if forbidden.contains(&type_url) {
        let leaf = Field::new(3, "not_in", Kind::String);
        report.broken(&ANY, leaf, "not_in", "type URL must not be in the block list");
    }
}
