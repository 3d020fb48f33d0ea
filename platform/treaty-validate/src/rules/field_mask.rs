//! Rules of `google.protobuf.FieldMask`.

use super::{Family, shown};
use crate::{Field, Kind, Report};

/// `field_mask`.
pub const FIELD_MASK: Family = Family::new("field_mask", 28, Kind::Message);

/// `const`: the mask has exactly these paths, in this order.
#[inline]
pub fn equals(report: &mut Report, paths: &[String], only: &[&str]) {
    if paths != only {
        let leaf = Field::new(1, "const", Kind::Message);
        let message = format!("must equal paths {}", shown(only));
        report.broken(&FIELD_MASK, leaf, "const", message);
    }
}

/// `in`: every path is one of these or below one.
#[inline]
pub fn one_of(report: &mut Report, paths: &[String], allowed: &[&str]) {
    if !paths.iter().all(|path| is_covered(path, allowed)) {
        let leaf = Field::new(2, "in", Kind::String);
        let message = format!("must only contain paths in {}", shown(allowed));
        report.broken(&FIELD_MASK, leaf, "in", message);
    }
}

/// `not_in`: no path is one of these or below one.
#[inline]
pub fn none_of(report: &mut Report, paths: &[String], forbidden: &[&str]) {
    if paths.iter().any(|path| is_covered(path, forbidden)) {
        let leaf = Field::new(3, "not_in", Kind::String);
        let message = format!("must not contain any paths in {}", shown(forbidden));
        report.broken(&FIELD_MASK, leaf, "not_in", message);
    }
}

fn is_covered(path: &str, roots: &[&str]) -> bool {
    roots.iter().any(|root| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
