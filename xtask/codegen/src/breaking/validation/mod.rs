//! Rules of `buf.validate`, which requests, events and what workflows are started with are held to.
//!
//! Who sends is broken by less that is allowed. Events are met by handlers of both versions, which
//! check them too: one that is built before is broken by more. Responses and results nobody checks.

mod demand;
mod drift;

use super::Findings;
use super::messages::{Roles, pairs};
use super::rules::{VALIDATION_LOOSENED, VALIDATION_TIGHTENED};
use crate::model::Model;
use drift::Drift;

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    let (before, after) = (Roles::of(old), Roles::of(new));
    for (was, is) in pairs(old, new) {
        // A message that nobody sent or published before may be held to what it likes.
        let sent = before.sent.contains(&was.rust) && after.sent.contains(&is.rust);
        let published = before.published.contains(&was.rust) && after.published.contains(&is.rust);
        let mut report = |element: &str, drift: &Drift| {
            if (sent || published) && !drift.tighter.is_empty() {
                findings.add(VALIDATION_TIGHTENED, element, drift.tighter.join("; "));
            }
            if published && !drift.looser.is_empty() {
                findings.add(VALIDATION_LOOSENED, element, drift.looser.join("; "));
            }
        };
        report(&is.full_name, &Drift::of_message(was, is));
        for field in &is.fields {
            let earlier = was.fields.iter().find(|earlier| earlier.number == field.number);
            let element = format!("{}.{}", is.full_name, field.name);
            report(
                &element,
                &earlier.map_or_else(|| Drift::of_new(field), |was| Drift::of_field(was, field)),
            );
        }
    }
}
