//! One finding, whoever found it.

use codegen::breaking::{self, Break, Side};
use codegen::lower::Places;

/// A promise that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    /// File within the contracts; empty when the place is not known.
    pub(super) file: String,
    /// Line, from 1.
    pub(super) line: usize,
    /// Column, from 1.
    pub(super) column: usize,
    /// The place is in the earlier contracts, because nothing of it is left.
    pub(super) gone: bool,
    /// Name of the rule.
    pub(super) rule: String,
    /// What the rule is about.
    pub(super) category: String,
    /// What broke; exceptions name it so.
    pub(super) element: String,
    /// What was and what is.
    pub(super) message: String,
    /// Who breaks.
    pub(super) breaks: String,
    /// How the same is done safely.
    pub(super) safely: String,
    /// Why it is let through, when it is.
    pub(super) because: Option<String>,
}

impl Finding {
    /// A break of one of our own rules.
    pub(super) fn ours(found: Break, then: &Places, now: &Places) -> Self {
        let place = breaking::place(&found.element, then, now);
        let (file, line, column) = place
            .map(|(_, place)| (place.file.clone(), place.line, place.column))
            .unwrap_or_default();
        Self {
            file,
            line,
            column,
            gone: place.is_some_and(|(side, _)| side == Side::Old),
            rule: found.rule.name.to_owned(),
            category: found.rule.category.to_string(),
            element: found.element,
            message: found.message,
            breaks: found.rule.breaks.to_owned(),
            safely: found.rule.safely.to_owned(),
            because: None,
        }
    }
}
