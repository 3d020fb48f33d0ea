//! What a change of contracts breaks for those who do not change with it.
//!
//! Two models are compared, the earlier and the new one; nothing here reads a file. What protobuf's
//! wire format and JSON mapping make of a change is judged by buf; the rules here are about what
//! our own options promise. Each has a name that stays, and says who breaks and how the same is
//! done safely: see [`RULES`].

mod deployables;
mod events;
mod http;
mod messages;
mod rpc;
mod rules;
mod template;
mod validation;
mod workflows;

use std::fmt::Write as _;
use std::time::Duration;

pub use rules::{Category, RULES, Rule};

use crate::lower::{Place, Places};
use crate::model::Model;

/// One promise that the new contracts do not keep.
#[derive(Clone, Debug)]
pub struct Break {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// What broke, named as [`crate::lower::Places`] names it.
    pub element: String,
    /// What was promised and what is promised now.
    pub message: String,
}

/// Which contracts a place is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The earlier ones.
    Old,
    /// The new ones.
    New,
}

/// Where to look at an element: in the new contracts, at the nearest element around it that is
/// still there; else where it stood in the earlier ones.
#[must_use]
pub fn place<'a>(element: &str, old: &'a Places, new: &'a Places) -> Option<(Side, &'a Place)> {
    let now = new.nearest(element).map(|place| (Side::New, place));
    now.or_else(|| old.nearest(element).map(|place| (Side::Old, place)))
}

/// Every break between two models, by element and rule.
#[must_use]
pub fn compare(old: &Model, new: &Model) -> Vec<Break> {
    let mut findings = Findings::default();
    http::compare(old, new, &mut findings);
    rpc::compare(old, new, &mut findings);
    events::compare(old, new, &mut findings);
    deployables::compare(old, new, &mut findings);
    workflows::compare(old, new, &mut findings);
    messages::compare(old, new, &mut findings);
    validation::compare(old, new, &mut findings);
    let mut breaks = findings.0;
    breaks.sort_by(|a, b| {
        (&a.element, a.rule.name, &a.message).cmp(&(&b.element, b.rule.name, &b.message))
    });
    breaks
}

/// Breaks as they are found.
#[derive(Default)]
struct Findings(Vec<Break>);

impl Findings {
    fn add(&mut self, rule: &'static Rule, element: &str, message: impl Into<String>) {
        self.0.push(Break { rule, element: element.to_owned(), message: message.into() });
    }
}

/// A limit in words; a missing one is none.
fn limit(duration: Option<Duration>) -> String {
    duration.map_or_else(|| "no limit".to_owned(), seconds)
}

/// A duration in words.
fn seconds(duration: Duration) -> String {
    let mut text = duration.as_secs().to_string();
    if duration.subsec_nanos() > 0 {
        let fraction = format!("{:09}", duration.subsec_nanos());
        let _ = write!(text, ".{}", fraction.trim_end_matches('0'));
    }
    text + " s"
}

/// Whether a limit came down; a missing one is the highest.
fn is_lowered<T: PartialOrd>(old: Option<T>, new: Option<T>) -> bool {
    match (old, new) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(old), Some(new)) => new < old,
    }
}
