//! A rule that is an expression.

use std::borrow::Cow;

use crate::rules::Family;
use crate::{Element, Field, Kind, Subscript};

/// A rule that is an expression, as generated code names it in constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id; for an expression without one, the expression.
    pub id: &'static str,
    /// What to say when it is broken and the expression itself does not.
    pub message: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Whether the expression's own text could show what must not be shown.
    pub redacted: bool,
}

/// Where a rule that is an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the rules of a message.
    Message,
    /// `cel` of a field, by index.
    FieldCel(u64),
    /// `cel_expression` of a field, by index.
    FieldExpression(u64),
    /// A predefined rule: a field that extends this kind of rules.
    Predefined(Family, Field),
}

impl Rule {
    /// The path of it, innermost first.
    pub(crate) fn elements(&self) -> Vec<Element> {
        let indexed = |number, name, kind, index| {
            vec![Field::new(number, name, kind).element(Some(Subscript::Index(index)))]
        };
        match self.place {
            // Paths begin in the rules of a field, where this is not.
            Place::Message => Vec::new(),
            Place::FieldCel(index) => indexed(23, "cel", Kind::Message, index),
            Place::FieldExpression(index) => indexed(29, "cel_expression", Kind::String, index),
            Place::Predefined(family, extension) => {
                vec![extension.element(None), family.element()]
            }
        }
    }
}

/// What an expression may result in: whether the rule is fulfilled, or a text that says
/// how it is not, empty when it is.
pub trait Verdict {
    /// `None` when the rule is fulfilled; else the expression's own text, if it has one.
    fn broken(self) -> Option<Option<String>>;
}

impl Verdict for bool {
    #[inline]
    fn broken(self) -> Option<Option<String>> {
        if self { None } else { Some(None) }
    }
}

impl Verdict for &str {
    #[inline]
    fn broken(self) -> Option<Option<String>> {
        if self.is_empty() { None } else { Some(Some(self.to_owned())) }
    }
}

impl Verdict for String {
    #[inline]
    fn broken(self) -> Option<Option<String>> {
        if self.is_empty() { None } else { Some(Some(self)) }
    }
}

impl Verdict for Cow<'_, str> {
    #[inline]
    fn broken(self) -> Option<Option<String>> {
        if self.is_empty() { None } else { Some(Some(self.into_owned())) }
    }
}
