//! The standard rules of `buf.validate`, a module for each kind of value.
//!
//! Each function checks one rule and notes a violation when it is broken. All of them
//! are small and inlined with the contract's constants, so that a rule costs what it
//! would cost if written by hand; what makes a violation is kept out of line.

pub mod any;
pub mod boolean;
pub mod bytes;
pub mod duration;
pub mod enumeration;
pub mod field_mask;
pub mod map;
pub mod number;
pub mod repeated;
pub mod string;
pub mod timestamp;

pub use range::{Lower, Upper, range};

mod range;

use std::borrow::Cow;
use std::fmt::Display;

use crate::{Element, Field, Kind, Report, Violation};

/// A kind of rules: a field of `buf.validate.FieldRules`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// Name of the field, which begins the ids of its rules.
    pub name: &'static str,
    /// Number of the field.
    pub number: u32,
    /// Type of the values that rules of this kind compare with.
    pub value: Kind,
    /// What is added to the numbers of `const`, `lt`, `lte` and so on.
    pub(crate) shift: u32,
}

impl Family {
    const fn new(name: &'static str, number: u32, value: Kind) -> Self {
        Self { name, number, value, shift: 0 }
    }

    const fn shifted(name: &'static str, number: u32) -> Self {
        Self { name, number, value: Kind::Message, shift: 1 }
    }

    pub(crate) fn element(&self) -> Element {
        Field::new(self.number, self.name, Kind::Message).element(None)
    }

    /// A rule of it that has the value's own type.
    const fn leaf(&self, number: u32, name: &'static str) -> Field {
        Field::new(number + self.shift, name, self.value)
    }
}

impl Report {
    /// Notes that a standard rule is broken: `family.suffix`, found in `family.leaf`.
    #[cold]
    pub(crate) fn broken(
        &mut self,
        family: &Family,
        leaf: Field,
        suffix: &str,
        message: impl Into<Cow<'static, str>>,
    ) {
        let id = format!("{}.{suffix}", family.name);
        let rule = vec![leaf.element(None), family.element()];
        self.add(Violation::new(id.into(), rule, message));
    }
}

/// A list as messages show it.
fn shown<T: Display>(values: &[T]) -> String {
    let texts: Vec<_> = values.iter().map(T::to_string).collect();
    format!("[{}]", texts.join(", "))
}

/// `const`: the value is this one.
#[inline]
pub fn equals<T: PartialEq + Display>(report: &mut Report, family: &Family, value: &T, only: &T) {
    if value != only {
        report.broken(family, family.leaf(1, "const"), "const", format!("must equal {only}"));
    }
}

/// `in`: the value is one of these.
#[inline]
pub fn one_of<T: PartialEq + Display>(
    report: &mut Report,
    family: &Family,
    value: &T,
    allowed: &[T],
) {
    if !allowed.contains(value) {
        let message = format!("must be in list {}", shown(allowed));
        report.broken(family, family.leaf(6, "in"), "in", message);
    }
}

/// `not_in`: the value is none of these.
#[inline]
pub fn none_of<T: PartialEq + Display>(
    report: &mut Report,
    family: &Family,
    value: &T,
    forbidden: &[T],
) {
    if forbidden.contains(value) {
        let message = format!("must not be in list {}", shown(forbidden));
        report.broken(family, family.leaf(7, "not_in"), "not_in", message);
    }
}
