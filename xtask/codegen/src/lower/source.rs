//! Where things stand in the contracts, and what their comments say.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::FileDescriptor;
use prost_types::source_code_info::Location;

use crate::Diagnostic;

/// Collects mistakes, so that all of them are told at once.
#[derive(Default)]
pub(super) struct Report {
    mistakes: BTreeSet<Diagnostic>,
    rules: BTreeMap<String, BTreeSet<Diagnostic>>,
}

impl Report {
    /// Notes a mistake at the element with this path in a file.
    pub(super) fn add(
        &mut self,
        file: &FileDescriptor,
        path: &[i32],
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.mistakes.insert(diagnostic(file, path, message.into(), advice.into()));
    }

    /// Notes a mistake in the rules of a message, by its full name.
    pub(super) fn add_rule(
        &mut self,
        holder: &str,
        file: &FileDescriptor,
        path: &[i32],
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let mistake = diagnostic(file, path, message.into(), advice.into());
        self.rules.entry(holder.to_owned()).or_default().insert(mistake);
    }

    /// Takes the mistakes in rules out, by the message that holds them.
    pub(super) fn take_rules(&mut self) -> BTreeMap<String, BTreeSet<Diagnostic>> {
        std::mem::take(&mut self.rules)
    }

    /// Whether nothing was wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.mistakes.is_empty() && self.rules.is_empty()
    }

    /// All mistakes, by file and line.
    pub(super) fn into_mistakes(self) -> Vec<Diagnostic> {
        let rules = self.rules.into_values().flatten();
        self.mistakes.into_iter().chain(rules).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn diagnostic(file: &FileDescriptor, path: &[i32], message: String, advice: String) -> Diagnostic {
    let (line, column) = position(file, path);
    Diagnostic { file: file.name().to_owned(), line, column, message, advice }
}

/// Line and column of an element, from 1; of its nearest ancestor that has one
/// when it has none itself; zeros when the descriptors carry no positions.
fn position(file: &FileDescriptor, path: &[i32]) -> (usize, usize) {
    span(file, path).0
}

/// Where an element begins and ends, as [`position`] counts.
pub(super) fn span(file: &FileDescriptor, path: &[i32]) -> ((usize, usize), (usize, usize)) {
    let found = (0..=path.len()).rev().find_map(|length| location(file, &path[..length]));
    let Some(location) = found else { return ((0, 0), (0, 0)) };
    // A span is line, column, end line, end column; the end line is left out when it is the same.
    let at = |index: usize| {
        location.span.get(index).and_then(|&value| usize::try_from(value).ok()).map(|at| at + 1)
    };
    let start = (at(0).unwrap_or(0), at(1).unwrap_or(0));
    let end = match at(3) {
        Some(column) => (at(2).unwrap_or(0), column),
        None => (start.0, at(2).unwrap_or(0)),
    };
    (start, end)
}

/// The comment before an element, or behind it when there is none before, without the
/// marks.
pub(super) fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let Some(location) = location(file, path) else { return String::new() };
    let leading = location.leading_comments.as_deref().filter(|text| !text.trim().is_empty());
    let text = leading.or(location.trailing_comments.as_deref()).unwrap_or_default();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The first location of an element; [`crate::load`] has sorted them by path.
fn location<'a>(file: &'a FileDescriptor, path: &[i32]) -> Option<&'a Location> {
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let index = info.location.partition_point(|location| location.path.as_slice() < path);
    info.location.get(index).filter(|location| location.path == path)
}
