//! One broken rule.

use std::borrow::Cow;

use crate::path;
use crate::{Element, cel};

/// A rule that a message breaks; `buf.validate.Violation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, innermost step first: steps are added on the way out of a message.
    pub(crate) field: Vec<Element>,
    /// The rule, innermost step first.
    pub(crate) rule: Vec<Element>,
    /// The rule's id, for example `string.min_len`.
    pub rule_id: Cow<'static, str>,
    /// What is wrong.
    pub problem: Problem,
    /// Whether the key of the map's entry is wrong, not its value.
    pub for_key: bool,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The rule is broken; the text tells a person how.
    Broken(Cow<'static, str>),
    /// The rule's expression has no value for this message.
    Undecided(cel::Error),
}

impl Violation {
    pub(crate) fn new(
        rule_id: Cow<'static, str>,
        rule: Vec<Element>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let problem = Problem::Broken(message.into());
        Self { field: Vec::new(), rule, rule_id, problem, for_key: false }
    }

    /// Steps to the field, from the outermost; none for a rule of the whole message.
    pub fn field(&self) -> impl Iterator<Item = &Element> {
        self.field.iter().rev()
    }

    /// Steps to the rule inside `buf.validate.FieldRules` or `MessageRules`.
    pub fn rule(&self) -> impl Iterator<Item = &Element> {
        self.rule.iter().rev()
    }

    /// The field as a text, for example `activities[2].name`; empty for a rule of the
    /// whole message.
    #[must_use]
    pub fn field_path(&self) -> String {
        path::text(self.field())
    }

    /// What is wrong, for a person.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        match &self.problem {
            Problem::Broken(message) => message.clone(),
            Problem::Undecided(error) => Cow::Owned(format!("cannot be decided: {error}")),
        }
    }
}
