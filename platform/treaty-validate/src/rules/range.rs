//! `gt`, `gte`, `lt`, `lte`, alone and together.

use std::fmt::Display;

use super::Family;
use crate::Report;

/// The lower bound of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lower<T> {
    /// There is none.
    Open,
    /// The value is greater.
    Gt(T),
    /// The value is greater or equal.
    Gte(T),
}

/// The upper bound of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Upper<T> {
    /// There is none.
    Open,
    /// The value is less.
    Lt(T),
    /// The value is less or equal.
    Lte(T),
}

impl<T: PartialOrd + Copy> Lower<T> {
    #[inline]
    fn holds(self, value: T) -> bool {
        match self {
            Self::Open => true,
            Self::Gt(bound) => value > bound,
            Self::Gte(bound) => value >= bound,
        }
    }
}

impl<T: PartialOrd + Copy> Upper<T> {
    #[inline]
    fn holds(self, value: T) -> bool {
        match self {
            Self::Open => true,
            Self::Lt(bound) => value < bound,
            Self::Lte(bound) => value <= bound,
        }
    }
}

/// The value lies between the bounds, or outside of them when the upper one is below
/// the lower one. What compares with nothing, as NaN, lies nowhere.
#[inline]
pub fn range<T: PartialOrd + Copy + Display>(
    report: &mut Report,
    family: &Family,
    value: T,
    lower: Lower<T>,
    upper: Upper<T>,
) {
    let holds = if is_exclusive(lower, upper) {
        lower.holds(value) || upper.holds(value)
    } else {
        lower.holds(value) && upper.holds(value)
    };
    if !holds {
        broken(report, family, lower, upper);
    }
}

#[inline]
fn is_exclusive<T: PartialOrd + Copy>(lower: Lower<T>, upper: Upper<T>) -> bool {
    match (lower, upper) {
        (Lower::Open, _) | (_, Upper::Open) => false,
        (Lower::Gt(low) | Lower::Gte(low), Upper::Lt(high) | Upper::Lte(high)) => high < low,
    }
}

#[cold]
fn broken<T: PartialOrd + Copy + Display>(
    report: &mut Report,
    family: &Family,
    lower: Lower<T>,
    upper: Upper<T>,
) {
    let below = match lower {
        Lower::Open => None,
        Lower::Gt(bound) => Some((4, "gt", format!("greater than {bound}"))),
        Lower::Gte(bound) => Some((5, "gte", format!("greater than or equal to {bound}"))),
    };
    let above = match upper {
        Upper::Open => None,
        Upper::Lt(bound) => Some((2, "lt", format!("less than {bound}"))),
        Upper::Lte(bound) => Some((3, "lte", format!("less than or equal to {bound}"))),
    };
    match (below, above) {
        (Some((number, name, text)), None) | (None, Some((number, name, text))) => {
            report.broken(family, family.leaf(number, name), name, format!("must be {text}"));
        }
        (Some((number, name, text)), Some((_, other, rest))) => {
            let (word, suffix) =
                if is_exclusive(lower, upper) { ("or", "_exclusive") } else { ("and", "") };
            let id = format!("{name}_{other}{suffix}");
            let message = format!("must be {text} {word} {rest}");
            report.broken(family, family.leaf(number, name), &id, message);
        }
        (None, None) => {}
    }
}
