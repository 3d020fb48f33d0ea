//! Collecting violations while a message is walked.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::cel::Timestamp;
use crate::path::{Element, Field, Kind, Subscript};
use crate::violation::{Problem, Violation};
use crate::{Validate, cel};

/// Most violations that one report holds: who sends a million wrong items needs no
/// list of them all.
const MOST: usize = 100;

/// What breaks the rules of a message.
///
/// Nothing is allocated until a rule is broken. A violation is noted without a path;
/// its steps are added on the way out, so that a walk without violations builds none.
#[derive(Debug, Default)]
pub struct Report {
    violations: Vec<Violation>,
    now: Option<Timestamp>,
}

impl Report {
    /// All violations.
    #[must_use]
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// The time that every rule of this report calls now.
    pub fn now(&mut self) -> Timestamp {
        *self.now.get_or_insert_with(Timestamp::now)
    }

    /// Whether no more violations are noted.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.violations.len() >= MOST
    }

    /// Notes a violation.
    #[cold]
    pub(crate) fn add(&mut self, violation: Violation) {
        if !self.is_full() {
            self.violations.push(violation);
        }
    }

    /// Runs the checks of a field; what they find is in that field.
    #[inline]
    pub fn field(&mut self, field: &Field, check: impl FnOnce(&mut Self)) {
        let from = self.violations.len();
        check(self);
        if self.violations.len() > from {
            self.inside(from, field, None);
        }
    }

    /// Checks the message in a field.
    #[inline]
    pub fn message<M: Validate>(&mut self, field: &Field, message: &M) {
        self.field(field, |report| message.check(report));
    }

    /// Checks the messages in a list.
    #[inline]
    pub fn messages<M: Validate>(&mut self, field: &Field, messages: &[M]) {
        self.each(field, messages, |report, message| message.check(report));
    }

    /// Runs checks on each item of a list; what they find is in that item.
    #[inline]
    pub fn each<T>(&mut self, field: &Field, items: &[T], check: impl Fn(&mut Self, &T)) {
        for (index, item) in (0_u64..).zip(items) {
            let from = self.violations.len();
            check(self, item);
            if self.violations.len() > from {
                self.inside(from, field, Some(Subscript::Index(index)));
                if self.is_full() {
                    return;
                }
            }
        }
    }

    /// Runs the rules that the contract has for each item of a list.
    #[inline]
    pub fn items<T>(&mut self, field: &Field, items: &[T], check: impl Fn(&mut Self, &T)) {
        self.each(field, items, |report, item| {
            report.under(&ITEMS, false, |report| check(report, item));
        });
    }

    /// Runs the rules that the contract has for each key of a map.
    #[inline]
    pub fn keys<K, V>(&mut self, field: &Field, map: &BTreeMap<K, V>, check: impl Fn(&mut Self, &K))
    where
        for<'a> Subscript: From<&'a K>,
    {
        self.entries(field, map, |report, key, _| {
            report.under(&KEYS, true, |report| check(report, key));
        });
    }

    /// Runs the rules that the contract has for each value of a map.
    #[inline]
    pub fn values<K, V>(
        &mut self,
        field: &Field,
        map: &BTreeMap<K, V>,
        check: impl Fn(&mut Self, &V),
    ) where
        for<'a> Subscript: From<&'a K>,
    {
        self.entries(field, map, |report, _, value| {
            report.under(&VALUES, false, |report| check(report, value));
        });
    }

    /// Checks the messages that are a map's values.
    #[inline]
    pub fn value_messages<K, V: Validate>(&mut self, field: &Field, map: &BTreeMap<K, V>)
    where
        for<'a> Subscript: From<&'a K>,
    {
        self.entries(field, map, |report, _, value| value.check(report));
    }

    #[inline]
    fn entries<K, V>(
        &mut self,
        field: &Field,
        map: &BTreeMap<K, V>,
        check: impl Fn(&mut Self, &K, &V),
    ) where
        for<'a> Subscript: From<&'a K>,
    {
        for (key, value) in map {
            let from = self.violations.len();
            check(self, key, value);
            if self.violations.len() > from {
                self.inside(from, field, Some(Subscript::from(key)));
                if self.is_full() {
                    return;
                }
            }
        }
    }

    /// Runs rules that stand inside of another rule, such as `repeated.items`.
    #[inline]
    fn under(&mut self, outer: &[Field; 2], for_key: bool, check: impl FnOnce(&mut Self)) {
        let from = self.violations.len();
        check(self);
        for violation in self.violations.iter_mut().skip(from) {
            violation.rule.extend(outer.iter().map(|step| step.element(None)));
            violation.for_key |= for_key;
        }
    }

    #[cold]
    fn inside(&mut self, from: usize, field: &Field, subscript: Option<Subscript>) {
        for violation in self.violations.iter_mut().skip(from) {
            // A violation of the message in this field, or of the item as a whole.
            violation.field.push(field.element(subscript.clone()));
        }
    }

    /// Notes that a oneof must be set and is not.
    #[cold]
    pub fn oneof_missing(&mut self, name: &'static str) {
        let message = "exactly one field is required in oneof";
        let mut violation = Violation::new("required".into(), Vec::new(), message);
        violation.field.push(Element {
            number: None,
            name: name.into(),
            kind: None,
            entry: None,
            subscript: None,
        });
        self.add(violation);
    }

    /// Notes that a field must be set and is not.
    #[cold]
    pub fn required(&mut self, field: &Field) {
        let rule = vec![Field::new(25, "required", Kind::Bool).element(None)];
        let mut violation = Violation::new("required".into(), rule, "value is required");
        violation.field.push(field.element(None));
        self.add(violation);
    }

    /// Checks how many of some fields are set: at most one, and with `required` exactly
    /// one.
    #[inline]
    pub fn one_of(&mut self, names: &'static [&'static str], set: usize, required: bool) {
        if set > 1 || (required && set == 0) {
            self.not_one_of(names, set);
        }
    }

    #[cold]
    fn not_one_of(&mut self, names: &[&str], set: usize) {
        let names = names.join(", ");
        let message = if set > 1 {
            format!("only one of {names} can be set")
        } else {
            format!("one of {names} must be set")
        };
        self.add(Violation::new("message.oneof".into(), Vec::new(), message));
    }

    /// Evaluates an expression, and notes what it found.
    #[inline]
    pub fn expression<V: cel::Verdict>(
        &mut self,
        rule: &cel::Rule,
        evaluate: impl FnOnce() -> cel::Result<V>,
    ) {
        match evaluate() {
            Ok(verdict) => {
                if let Some(message) = verdict.broken() {
                    self.expression_broken(rule, message);
                }
            }
            Err(error) => self.expression_undecided(rule, error),
        }
    }

    #[cold]
    fn expression_broken(&mut self, rule: &cel::Rule, message: Option<String>) {
        let message: Cow<'static, str> = match message {
            Some(text) if !rule.redacted => text.into(),
            _ => rule.message.into(),
        };
        self.add(Violation::new(rule.id.into(), rule.elements(), message));
    }

    #[cold]
    fn expression_undecided(&mut self, rule: &cel::Rule, error: cel::Error) {
        let mut violation = Violation::new(rule.id.into(), rule.elements(), "");
        violation.problem = Problem::Undecided(error);
        self.add(violation);
    }
}

/// Rules inside of rules, innermost first.
const ITEMS: [Field; 2] =
    [Field::new(4, "items", Kind::Message), Field::new(18, "repeated", Kind::Message)];
const KEYS: [Field; 2] =
    [Field::new(4, "keys", Kind::Message), Field::new(19, "map", Kind::Message)];
const VALUES: [Field; 2] =
    [Field::new(5, "values", Kind::Message), Field::new(19, "map", Kind::Message)];
