//! The difference between what is wanted and what is there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::definitions::{Definition, Definitions};

type Config = Map<String, Value>;

/// What a server holds.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Configuration of each stream, by name.
    pub streams: BTreeMap<String, Config>,
    /// Configuration of each durable consumer, by stream and name.
    pub consumers: BTreeMap<(String, String), Config>,
}

/// What must be done, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Plan {
    /// Steps that lead to what the contracts say.
    pub steps: Vec<Step>,
    /// What is there, belongs to a declared stream or is a stream, and is declared
    /// nowhere. It is left alone unless pruning was asked for.
    pub undeclared: Vec<Subject>,
}

/// A stream or a consumer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// The stream.
    pub stream: String,
    /// The consumer; none for the stream itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durable: Option<String>,
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is not there yet.
    Create,
    /// It is changed in place.
    Update,
    /// The server cannot change it in place: it is deleted and made anew.
    Replace,
    /// It is declared nowhere, and pruning was asked for.
    Delete,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// To what.
    pub subject: Subject,
    /// What is done.
    pub action: Action,
    /// Settings that differ.
    pub changes: Vec<Change>,
    /// The whole configuration that the server is given; empty when it is deleted.
    #[serde(skip)]
    pub config: Config,
    /// What is lost, in words; such a step needs permission.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<String>,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its name in JetStream's JSON.
    pub setting: String,
    /// What it is; null when it is not set.
    pub from: Value,
    /// What it shall be.
    pub to: Value,
}

/// Settings of a stream that the server does not change in place.
const FIXED_STREAM: [&str; 1] = ["storage"];
/// Settings of a consumer that the server does not change in place.
const FIXED_CONSUMER: [&str; 3] = ["ack_policy", "deliver_policy", "replay_policy"];

impl Plan {
    /// Compares; with `prune`, what is declared nowhere is deleted.
    #[must_use]
    pub fn new(wanted: &Definitions, found: &Found, prune: bool) -> Self {
        let mut plan = Self::default();
        let streams = wanted.streams.iter().filter_map(|definition| {
            step(definition, found.streams.get(&definition.stream), &FIXED_STREAM, stream_losses)
        });
        plan.steps.extend(streams);
        let replaced: BTreeSet<_> = plan
            .steps
            .iter()
            .filter(|step| step.action == Action::Replace)
            .map(|step| step.subject.stream.clone())
            .collect();
        let consumers = wanted.consumers.iter().filter_map(|definition| {
            let key = (definition.stream.clone(), definition.durable.clone().unwrap_or_default());
            // Consumers go with their stream.
            let kept = !replaced.contains(&definition.stream);
            let found = found.consumers.get(&key).filter(|_| kept);
            step(definition, found, &FIXED_CONSUMER, consumer_losses)
        });
        plan.steps.extend(consumers);
        plan.undeclared = undeclared(wanted, found);
        if prune {
            plan.steps.extend(std::mem::take(&mut plan.undeclared).into_iter().map(delete));
        }
        plan
    }

    /// Whether everything is as the contracts say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Steps that lose something.
    pub fn losing(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| !step.losses.is_empty())
    }
}

fn step(
    definition: &Definition,
    found: Option<&Config>,
    fixed: &[&str],
    losses: fn(&[Change]) -> Vec<String>,
) -> Option<Step> {
    let subject =
        Subject { stream: definition.stream.clone(), durable: definition.durable.clone() };
    let Some(found) = found else {
        let set = |(setting, to): (&String, &Value)| Change {
            setting: setting.clone(),
            from: Value::Null,
            to: to.clone(),
        };
        let changes = definition.config.iter().map(set).collect();
        let config = definition.config.clone();
        return Some(Step { subject, action: Action::Create, changes, config, losses: Vec::new() });
    };
    let changes = changes(&definition.config, found);
    if changes.is_empty() {
        return None;
    }
    // What the definition does not speak of stays as an operator has set it.
    let mut config = found.clone();
    config.extend(definition.config.clone());
    let replaced = changes.iter().any(|change| fixed.contains(&change.setting.as_str()));
    let (action, losses) = if replaced {
        (Action::Replace, vec![replacement_loss(&subject)])
    } else {
        (Action::Update, losses(&changes))
    };
    Some(Step { subject, action, changes, config, losses })
}

fn replacement_loss(subject: &Subject) -> String {
    match subject.durable {
        None => "all of its messages go: the server cannot change this in place".to_owned(),
        Some(_) => "its position goes, and it starts from the beginning of the stream: the server \
                    cannot change this in place"
            .to_owned(),
    }
}

fn delete(subject: Subject) -> Step {
    let loss = match subject.durable {
        None => "all of its messages go",
        Some(_) => "its position goes, and messages not yet handled are not handled",
    };
    let losses = vec![loss.to_owned()];
    Step { subject, action: Action::Delete, changes: Vec::new(), config: Map::new(), losses }
}

fn changes(wanted: &Config, found: &Config) -> Vec<Change> {
    let differs = |(setting, to): (&String, &Value)| {
        let from = found.get(setting).cloned().unwrap_or(Value::Null);
        let same = match setting.as_str() {
            "subjects" => texts(&from) == texts(to),
            _ => from == *to || is_unset(&from, to),
        };
        (!same).then(|| Change { setting: setting.clone(), from, to: to.clone() })
    };
    wanted.iter().filter_map(differs).collect()
}

/// The server leaves out what is at its default, which 0 and an empty text are.
fn is_unset(from: &Value, to: &Value) -> bool {
    from.is_null() && (to.as_i64() == Some(0) || to.as_str() == Some(""))
}

fn undeclared(wanted: &Definitions, found: &Found) -> Vec<Subject> {
    let streams: BTreeSet<_> = wanted.streams.iter().map(|stream| &stream.stream).collect();
    let consumers: BTreeSet<_> = wanted
        .consumers
        .iter()
        .map(|consumer| (&consumer.stream, consumer.durable.as_deref().unwrap_or_default()))
        .collect();
    let extra = found.consumers.keys().filter(|(stream, durable)| {
        streams.contains(stream) && !consumers.contains(&(stream, durable.as_str()))
    });
    let extra = extra.map(|(stream, durable)| Subject {
        stream: stream.clone(),
        durable: Some(durable.clone()),
    });
    let strangers = found.streams.keys().filter(|name| !streams.contains(name));
    let strangers = strangers.map(|name| Subject { stream: name.clone(), durable: None });
    extra.chain(strangers).collect()
}

fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What changed settings of a stream lose.
fn stream_losses(changes: &[Change]) -> Vec<String> {
    changes.iter().filter_map(stream_loss).collect()
}

fn stream_loss(change: &Change) -> Option<String> {
    match change.setting.as_str() {
        "max_age" if is_tighter(change, 0) => {
            Some("messages that are older than the new max_age go".to_owned())
        }
        setting @ ("max_bytes" | "max_msgs" | "max_msgs_per_subject") if is_tighter(change, -1) => {
            Some(format!("messages beyond the new {setting} may go, and new ones are refused"))
        }
        "retention" => Some(
            "messages that no consumer still waits for go as soon as retention is by interest"
                .to_owned(),
        )
        .filter(|_| change.to == "interest"),
        "subjects" => {
            let removed: Vec<_> =
                texts(&change.from).difference(&texts(&change.to)).copied().collect();
            (!removed.is_empty())
                .then(|| format!("messages published to {} are stored no more", removed.join(", ")))
        }
        _ => None,
    }
}

/// Whether a limit comes closer; `endless` is its value when there is none.
fn is_tighter(change: &Change, endless: i64) -> bool {
    let limit = |value: &Value| match value.as_i64() {
        None => i64::MAX,
        Some(number) if number == endless || number < 0 => i64::MAX,
        Some(number) => number,
    };
    limit(&change.to) < limit(&change.from)
}

/// What changed settings of a consumer lose.
fn consumer_losses(changes: &[Change]) -> Vec<String> {
    let filter = changes.iter().any(|change| change.setting == "filter_subject");
    let loss = "messages that only the old filter matches are not handled";
    filter.then(|| loss.to_owned()).into_iter().collect()
}

#[cfg(test)]
mod tests;
