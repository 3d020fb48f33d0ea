//! Standard rules as demands of which it is known what a change of them does.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::model::{
    Bound, BytesRules, EnumRules, FieldRules, Moment, Number, NumberRules, StandardRules,
    StringRules, TimeRules,
};

/// What a rule demands of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Demand {
    /// At least this.
    Least(Limit),
    /// At most this.
    Most(Limit),
    /// One of these.
    OneOf(Vec<String>),
    /// None of these.
    NoneOf(Vec<String>),
    /// What its name says.
    Asked,
    /// What its name says of a text: two texts allow what cannot be compared.
    Text(String),
    /// Rules of everything in it.
    Each(Box<FieldRules>),
}

/// Where values begin or end.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    size: Size,
    /// The limit itself is outside. Of whole numbers the next one is the limit instead.
    exclusive: bool,
    /// As a reader of the contract knows it.
    pub(super) shown: String,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Whole(i128),
    Real(f64),
}

impl PartialEq for Limit {
    fn eq(&self, other: &Self) -> bool {
        self.order(other) == Some(Ordering::Equal) && self.exclusive == other.exclusive
    }
}

impl Limit {
    fn length(length: u64) -> Self {
        let size = Size::Whole(i128::from(length));
        Self { size, exclusive: false, shown: length.to_string() }
    }

    /// A bound; `sign` is the direction in which values are inside.
    fn bound(size: Size, value: &str, inclusive: bool, sign: i128) -> Self {
        let comparison = if sign > 0 { ">" } else { "<" };
        let shown = format!("{comparison}{} {value}", if inclusive { "=" } else { "" });
        match size {
            Size::Whole(whole) if !inclusive => {
                Self { size: Size::Whole(whole.saturating_add(sign)), exclusive: false, shown }
            }
            _ => Self { size, exclusive: !inclusive, shown },
        }
    }

    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        self.size.order(other.size)
    }

    /// Whether a lower limit of this kind shuts zero out.
    fn is_above_zero(&self) -> bool {
        match self.size.order(Size::Whole(0)) {
            Some(Ordering::Equal) => self.exclusive,
            order => order == Some(Ordering::Greater),
        }
    }

    /// Whether an upper limit of this kind shuts zero out.
    fn is_below_zero(&self) -> bool {
        match self.size.order(Size::Whole(0)) {
            Some(Ordering::Equal) => self.exclusive,
            order => order == Some(Ordering::Less),
        }
    }

    /// Whether of two limits at one place this one alone lets the place itself in.
    pub(super) fn is_wider_at_its_place(&self, other: &Self) -> bool {
        !self.exclusive && other.exclusive
    }
}

impl Size {
    fn of(number: Number) -> Self {
        match number {
            Number::Int(number) => Self::Whole(i128::from(number)),
            Number::Uint(number) => Self::Whole(i128::from(number)),
            Number::Float(number) => Self::Real(number),
        }
    }

    fn nanoseconds(moment: Moment) -> Self {
        Self::Whole(i128::from(moment.seconds) * 1_000_000_000 + i128::from(moment.nanos))
    }

    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            (one, other) => one.real().partial_cmp(&other.real()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "whole numbers are compared as such")]
    fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

/// Demands by the names of their rules.
pub(super) type Demands = BTreeMap<&'static str, Demand>;

/// What rules demand.
pub(super) fn demands(rules: Option<&StandardRules>) -> Demands {
    let mut demands = Demands::new();
    let Some(rules) = rules else { return demands };
    let mut add = |name: &'static str, demand: Option<Demand>| {
        demands.extend(demand.map(|demand| (name, demand)));
    };
    let each = |rules: &Option<Box<FieldRules>>| rules.clone().map(Demand::Each);
    match rules {
        StandardRules::Bool(rules) => {
            add("const", rules.equals.map(|value| Demand::OneOf(vec![value.to_string()])));
        }
        StandardRules::Number(rules) => numbers(rules, &mut add),
        StandardRules::String(rules) => strings(rules, &mut add),
        StandardRules::Bytes(rules) => bytes(rules, &mut add),
        StandardRules::Enum(rules) => enums(rules, &mut add),
        StandardRules::Repeated(rules) => {
            add("min_items", rules.min_items.map(Limit::length).map(Demand::Least));
            add("max_items", rules.max_items.map(Limit::length).map(Demand::Most));
            add("unique", asked(rules.unique));
            add("items", each(&rules.items));
        }
        StandardRules::Map(rules) => {
            add("min_pairs", rules.min_pairs.map(Limit::length).map(Demand::Least));
            add("max_pairs", rules.max_pairs.map(Limit::length).map(Demand::Most));
            add("keys", each(&rules.keys));
            add("values", each(&rules.values));
        }
        StandardRules::Any(rules) => {
            add("in", one_of(&rules.one_of, String::clone));
            add("not_in", none_of(&rules.none_of, String::clone));
        }
        StandardRules::Duration(rules) | StandardRules::Timestamp(rules) => times(rules, &mut add),
        StandardRules::FieldMask(rules) => {
            add("const", rules.equals.as_ref().map(|paths| Demand::Text(paths.join(","))));
            add("in", one_of(&rules.one_of, String::clone));
            add("not_in", none_of(&rules.none_of, String::clone));
        }
    }
    demands
}

/// Whether a demand is not met by what the absence of a field means: zero, or nothing.
pub(super) fn refuses_zero(name: &str, demand: &Demand) -> bool {
    let is_zero = |value: &String| matches!(value.as_str(), "0" | "-0" | "false" | "\"\"");
    match demand {
        Demand::Least(limit) => limit.is_above_zero(),
        Demand::Most(limit) => limit.is_below_zero(),
        Demand::OneOf(values) => !values.iter().any(is_zero),
        Demand::NoneOf(values) => values.iter().any(is_zero),
        Demand::Text(text) if name == "pattern" => {
            regex::Regex::new(text).is_ok_and(|pattern| !pattern.is_match(""))
        }
        Demand::Text(_) => name != "not_contains",
        Demand::Asked | Demand::Each(_) => false,
    }
}

type Add<'a> = &'a mut dyn FnMut(&'static str, Option<Demand>);

fn numbers(rules: &NumberRules, add: Add<'_>) {
    let show = |number: &Number| match number {
        Number::Int(number) => number.to_string(),
        Number::Uint(number) => number.to_string(),
        Number::Float(number) => number.to_string(),
    };
    bounds(rules.lower, rules.upper, |number| Size::of(*number), show, add);
    values(rules.equals.as_ref(), &rules.one_of, &rules.none_of, show, add);
    add("finite", asked(rules.finite));
}

fn times(rules: &TimeRules, add: Add<'_>) {
    let show = |moment: &Moment| {
        let text = format!("{}.{:09}", moment.seconds, moment.nanos.unsigned_abs());
        text.trim_end_matches('0').trim_end_matches('.').to_owned() + " s"
    };
    bounds(rules.lower, rules.upper, |moment| Size::nanoseconds(*moment), show, add);
    values(rules.equals.as_ref(), &rules.one_of, &rules.none_of, show, add);
    add("lt_now", asked(rules.before_now));
    add("gt_now", asked(rules.after_now));
    let within = rules.within.map(|moment| Limit {
        size: Size::nanoseconds(moment),
        exclusive: false,
        shown: show(&moment),
    });
    add("within", within.map(Demand::Most));
}

fn strings(rules: &StringRules, add: Add<'_>) {
    let text = |text: &Option<String>| text.clone().map(Demand::Text);
    lengths("min_len", "max_len", [rules.len, rules.min_len, rules.max_len], add);
    lengths("min_bytes", "max_bytes", [rules.len_bytes, rules.min_bytes, rules.max_bytes], add);
    values(rules.equals.as_ref(), &rules.one_of, &rules.none_of, |value| format!("{value:?}"), add);
    add("pattern", text(&rules.pattern));
    add("prefix", text(&rules.prefix));
    add("suffix", text(&rules.suffix));
    add("contains", text(&rules.contains));
    add("not_contains", text(&rules.not_contains));
    add("format", text(&rules.format));
}

fn bytes(rules: &BytesRules, add: Add<'_>) {
    let show = |bytes: &Vec<u8>| format!("\"{}\"", bytes.escape_ascii());
    let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(show).map(Demand::Text);
    lengths("min_len", "max_len", [rules.len, rules.min_len, rules.max_len], add);
    values(rules.equals.as_ref(), &rules.one_of, &rules.none_of, show, add);
    add("pattern", rules.pattern.clone().map(Demand::Text));
    add("prefix", text(&rules.prefix));
    add("suffix", text(&rules.suffix));
    add("contains", text(&rules.contains));
    add("format", rules.format.clone().map(Demand::Text));
}

fn enums(rules: &EnumRules, add: Add<'_>) {
    values(rules.equals.as_ref(), &rules.one_of, &rules.none_of, i32::to_string, add);
    let defined = rules.defined_only.then(|| rules.defined.iter().map(i32::to_string).collect());
    add("defined_only", defined.map(Demand::OneOf));
}

/// An exact length is a least and a most that are the same.
fn lengths(
    least: &'static str,
    most: &'static str,
    [exact, lower, upper]: [Option<u64>; 3],
    add: Add<'_>,
) {
    add(least, exact.or(lower).map(Limit::length).map(Demand::Least));
    add(most, exact.or(upper).map(Limit::length).map(Demand::Most));
}

/// A range. An upper bound below the lower one means what lies outside of both.
fn bounds<T: Copy>(
    lower: Option<Bound<T>>,
    upper: Option<Bound<T>>,
    size: impl Fn(&T) -> Size,
    show: impl Fn(&T) -> String,
    add: Add<'_>,
) {
    let limit = |bound: Bound<T>, sign| {
        Limit::bound(size(&bound.value), &show(&bound.value), bound.inclusive, sign)
    };
    if let (Some(lower), Some(upper)) = (lower, upper)
        && size(&upper.value).order(size(&lower.value)) == Some(Ordering::Less)
    {
        let (lower, upper) = (limit(lower, 1).shown, limit(upper, -1).shown);
        add("range", Some(Demand::Text(format!("{lower} or {upper}"))));
        return;
    }
    add("lower bound", lower.map(|bound| Demand::Least(limit(bound, 1))));
    add("upper bound", upper.map(|bound| Demand::Most(limit(bound, -1))));
}

/// A constant is a choice of one.
fn values<T>(
    equals: Option<&T>,
    allowed: &[T],
    forbidden: &[T],
    show: impl Fn(&T) -> String,
    add: Add<'_>,
) {
    let constant = equals.map(|value| Demand::OneOf(vec![show(value)]));
    add("in", constant.or_else(|| one_of(allowed, &show)));
    add("not_in", none_of(forbidden, &show));
}

fn one_of<T>(values: &[T], show: impl Fn(&T) -> String) -> Option<Demand> {
    (!values.is_empty()).then(|| Demand::OneOf(values.iter().map(show).collect()))
}

fn none_of<T>(values: &[T], show: impl Fn(&T) -> String) -> Option<Demand> {
    (!values.is_empty()).then(|| Demand::NoneOf(values.iter().map(show).collect()))
}

fn asked(is_asked: bool) -> Option<Demand> {
    is_asked.then_some(Demand::Asked)
}
