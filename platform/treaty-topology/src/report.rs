//! A plan in words, for a person.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::plan::{Action, Change, Plan, Step, Subject};

/// A plan as JSON, for a program.
#[must_use]
pub fn json(plan: &Plan) -> String {
    // A plan holds nothing that JSON cannot.
    serde_json::to_string_pretty(plan).unwrap_or_default()
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.durable {
            None => write!(f, "stream {}", self.stream),
            Some(durable) => write!(f, "consumer {durable} of {}", self.stream),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        for subject in &self.undeclared {
            writeln!(f, "? {subject}: declared nowhere, left alone")?;
        }
        if self.is_empty() {
            return f.write_str("Everything is as the contracts say.");
        }
        let count = |action| self.steps.iter().filter(|step| step.action == action).count();
        let counts = [
            (count(Action::Create), "to create"),
            (count(Action::Update), "to change"),
            (count(Action::Replace), "to replace"),
            (count(Action::Delete), "to delete"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        write!(f, "{}.", counts.join(", "))?;
        match self.losing().count() {
            0 => Ok(()),
            losing => write!(f, " {losing} would lose data and need --allow-data-loss."),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.action {
            Action::Create => '+',
            Action::Update => '~',
            Action::Replace => '!',
            Action::Delete => '-',
        };
        write!(f, "{sign} {}", self.subject)?;
        for change in &self.changes {
            write!(f, "\n    {change}")?;
        }
        for loss in &self.losses {
            write!(f, "\n    LOSES DATA: {loss}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = shown(&self.setting, &self.to);
        if self.from.is_null() {
            return write!(f, "{:<20} {to}", self.setting);
        }
        write!(f, "{:<20} {} -> {to}", self.setting, shown(&self.setting, &self.from))
    }
}

/// A value as a person reads it: nanoseconds as a duration, lists without brackets.
fn shown(setting: &str, value: &Value) -> String {
    match (setting, value) {
        ("max_age" | "duplicate_window" | "ack_wait", value) => match value.as_u64() {
            Some(0) => "unlimited".to_owned(),
            Some(nanos) => format!("{:?}", Duration::from_nanos(nanos)),
            None => value.to_string(),
        },
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(|item| shown(setting, item)).collect();
            items.join(", ")
        }
        (_, value) if value.as_i64() == Some(-1) => "unlimited".to_owned(),
        (_, value) => value.to_string(),
    }
}
