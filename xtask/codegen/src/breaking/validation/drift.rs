//! What a change of rules does to the values that they allow.

use std::cmp::Ordering;

use super::demand::{Demand, Demands, Limit, demands, refuses_zero};
use crate::model::{CelRule, Field, FieldCardinality, FieldRules, FieldType, Ignore, Message};

/// What a change does. One can do both: another pattern allows other texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Drift {
    /// Changes by which less is allowed.
    pub(super) tighter: Vec<String>,
    /// Changes by which more is allowed.
    pub(super) looser: Vec<String>,
}

impl Drift {
    /// Of a message's own rules.
    pub(super) fn of_message(was: &Message, is: &Message) -> Self {
        let mut drift = Self::default();
        drift.expressions("", &was.rules.cel, &is.rules.cel);
        let groups = |message: &Message| -> Vec<String> {
            let groups = message.rules.groups.iter();
            let count = |required| if required { "exactly" } else { "at most" };
            groups
                .map(|group| {
                    format!("{} one of {}", count(group.required), group.fields.join(", "))
                })
                .collect()
        };
        let (before, after) = (groups(was), groups(is));
        drift.tighter.extend(missing(&after, &before).map(|group| format!("{group} is new")));
        drift.looser.extend(missing(&before, &after).map(|group| format!("{group} is gone")));
        for oneof in &is.oneofs {
            let before = was.oneofs.iter().find(|before| before.name == oneof.name);
            let name = format!("oneof {}: required", oneof.name);
            drift.flag(&name, before.is_some_and(|before| before.required), oneof.required);
        }
        drift
    }

    /// Of a field that is there before and after.
    pub(super) fn of_field(was: &Field, is: &Field) -> Self {
        let mut drift = Self::default();
        let holds_messages = matches!(is.ty, FieldType::Message { .. });
        drift.values("", &was.rules, &is.rules, holds_messages);
        drift
    }

    /// Of a field that senders do not know yet: its rules meet what its absence means.
    pub(super) fn of_new(field: &Field) -> Self {
        let mut drift = Self::default();
        let rules = &field.rules;
        let counts = matches!(
            field.cardinality,
            FieldCardinality::Implicit | FieldCardinality::Repeated | FieldCardinality::Map(_)
        ) && rules.ignore == Ignore::Unset
            && field.oneof.is_none();
        if rules.ignore == Ignore::Always {
            return drift;
        }
        if rules.required {
            drift.tighter.push("the field is new and required".to_owned());
        } else if let Some(rule) = counts.then(|| refusing_zero(rules)).flatten() {
            drift.tighter.push(format!("the field is new, and {rule} refuses its absence"));
        }
        drift
    }

    /// Rules of a field, or of the items, keys or values in it.
    fn values(&mut self, place: &str, was: &FieldRules, is: &FieldRules, holds_messages: bool) {
        let never = |rules: &FieldRules| rules.ignore == Ignore::Always;
        let counts = |rules: &FieldRules| {
            holds_messages || !FieldRules { ignore: Ignore::Unset, ..rules.clone() }.is_empty()
        };
        match (never(was), never(is)) {
            (false, false) => {}
            (true, false) if counts(is) => {
                return self.tighter.push(format!("{place}ignore was always, is not"));
            }
            (false, true) if counts(was) => {
                return self.looser.push(format!("{place}ignore was not, is always"));
            }
            _ => return,
        }
        self.flag(&format!("{place}required"), was.required, is.required);
        self.zero(place, was, is);
        self.expressions(place, &was.cel, &is.cel);
        self.expressions(place, &was.predefined, &is.predefined);
        self.demands(place, &demands(was.standard.as_ref()), &demands(is.standard.as_ref()));
    }

    /// Whether a zero value is let through that breaks the rules.
    fn zero(&mut self, place: &str, was: &FieldRules, is: &FieldRules) {
        match (was.ignore, is.ignore) {
            (Ignore::Zero, Ignore::Unset) if refusing_zero(is).is_some() => {
                self.tighter.push(format!("{place}the zero value was let through, is not"));
            }
            (Ignore::Unset, Ignore::Zero) if refusing_zero(was).is_some() => {
                self.looser.push(format!("{place}the zero value was not let through, is"));
            }
            _ => {}
        }
    }

    fn demands(&mut self, place: &str, was: &Demands, is: &Demands) {
        let names = was.keys().chain(is.keys().filter(|name| !was.contains_key(*name)));
        for name in names {
            let said = format!("{place}{name}");
            match (was.get(name), is.get(name)) {
                (Some(Demand::Each(was)), Some(Demand::Each(is))) => {
                    self.values(&format!("{said}: "), was, is, true);
                }
                (None, Some(Demand::Each(is))) => {
                    self.values(&format!("{said}: "), &FieldRules::default(), is, true);
                }
                (Some(Demand::Each(was)), None) => {
                    self.values(&format!("{said}: "), was, &FieldRules::default(), true);
                }
                (None, Some(is)) => {
                    self.tighter.push(format!("{said} was missing, is {}", shown(is)));
                }
                (Some(was), None) => {
                    self.looser.push(format!("{said} was {}, is gone", shown(was)))
                }
                (Some(was), Some(is)) if was != is => self.demand(&said, was, is),
                _ => {}
            }
        }
    }

    fn demand(&mut self, name: &str, was: &Demand, is: &Demand) {
        match (was, is) {
            (Demand::Least(was), Demand::Least(is)) => self.limit(name, was, is, Ordering::Less),
            (Demand::Most(was), Demand::Most(is)) => self.limit(name, was, is, Ordering::Greater),
            (Demand::OneOf(was), Demand::OneOf(is)) => {
                let [gone, new] = [missing(was, is), missing(is, was)].map(Iterator::collect);
                self.list(format!("{name} no longer has "), format!("{name} has "), gone, new);
            }
            (Demand::NoneOf(was), Demand::NoneOf(is)) => {
                let [gone, new] = [missing(was, is), missing(is, was)].map(Iterator::collect);
                self.list(format!("{name} has "), format!("{name} no longer has "), new, gone);
            }
            // Whatever else it is, it allows other values: some more and some fewer.
            _ => {
                let said = format!("{name} was {}, is {}", shown(was), shown(is));
                self.tighter.push(said.clone());
                self.looser.push(said);
            }
        }
    }

    /// A limit that moved; less is allowed when the old one stands to the new one as `tighter` says.
    fn limit(&mut self, name: &str, was: &Limit, is: &Limit, tighter: Ordering) {
        let said = format!("{name} was {}, is {}", was.shown, is.shown);
        let is_tighter = match was.order(is) {
            Some(Ordering::Equal) => was.is_wider_at_its_place(is),
            order => order == Some(tighter),
        };
        if is_tighter { self.tighter.push(said) } else { self.looser.push(said) }
    }

    fn list(&mut self, tighter: String, looser: String, fewer: Vec<String>, more: Vec<String>) {
        if !fewer.is_empty() {
            self.tighter.push(tighter + &fewer.join(", "));
        }
        if !more.is_empty() {
            self.looser.push(looser + &more.join(", "));
        }
    }

    fn flag(&mut self, name: &str, was: bool, is: bool) {
        match (was, is) {
            (false, true) => self.tighter.push(format!("{name} is new")),
            (true, false) => self.looser.push(format!("{name} is gone")),
            _ => {}
        }
    }

    /// Expressions, whatever they are called: what two of them allow cannot be compared.
    fn expressions(&mut self, place: &str, was: &[CelRule], is: &[CelRule]) {
        let has = |rules: &[CelRule], rule: &CelRule| {
            rules.iter().any(|other| other.program == rule.program)
        };
        for rule in is.iter().filter(|rule| !has(was, rule)) {
            self.tighter.push(format!("{place}expression `{}` is new or another", rule.id));
        }
        for rule in was.iter().filter(|rule| !has(is, rule)) {
            self.looser.push(format!("{place}expression `{}` is gone or another", rule.id));
        }
    }
}

/// The first rule that zero, or nothing, breaks. Of an expression it is not known, so it counts.
fn refusing_zero(rules: &FieldRules) -> Option<String> {
    let expression = rules.cel.iter().chain(&rules.predefined).next();
    let demands = demands(rules.standard.as_ref());
    let standard = demands.iter().find(|(name, demand)| refuses_zero(name, demand));
    let standard = standard.map(|(name, demand)| format!("{name} {}", shown(demand)));
    standard.or_else(|| expression.map(|rule| format!("perhaps expression `{}`", rule.id)))
}

fn shown(demand: &Demand) -> String {
    match demand {
        Demand::Least(limit) | Demand::Most(limit) => limit.shown.clone(),
        Demand::OneOf(values) | Demand::NoneOf(values) => values.join(", "),
        Demand::Text(text) => format!("`{}`", printable(text)),
        Demand::Asked | Demand::Each(_) => "true".to_owned(),
    }
}

/// A text of which a terminal shows everything and obeys nothing.
fn printable(text: &str) -> String {
    let shown =
        |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// What of the one is not among the other.
fn missing<'a>(of: &'a [String], among: &'a [String]) -> impl Iterator<Item = String> + 'a {
    of.iter().filter(|value| !among.contains(value)).cloned()
}
