//! A trace to read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Span;

/// Children of a span that are shown one by one.
const MOST_CHILDREN: usize = 12;

/// The spans of one trace.
#[derive(Clone, Debug)]
pub struct Trace {
    spans: Vec<Span>,
}

impl Trace {
    /// Puts spans together, in the order in which their traces began.
    pub(super) fn all(spans: Vec<Span>) -> Vec<Self> {
        let mut by_trace: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        for span in spans {
            by_trace.entry(span.trace_id.clone()).or_default().push(span);
        }
        let mut traces: Vec<_> = by_trace
            .into_values()
            .map(|mut spans| {
                spans.sort_by_key(|span| span.begun);
                Self { spans }
            })
            .collect();
        traces.sort_by_key(|trace| trace.spans.first().map(|span| span.begun));
        traces
    }

    /// Its spans, in the order in which they began.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether there is a chain of spans, each below the one before, perhaps with others
    /// between, whose services and names begin as these do.
    #[must_use]
    pub fn has_chain(&self, chain: &[(&str, &str)]) -> bool {
        self.roots().any(|root| self.goes_on(root, chain))
    }

    fn goes_on(&self, span: &Span, chain: &[(&str, &str)]) -> bool {
        let Some(((service, name), rest)) = chain.split_first() else { return true };
        let is_next = span.service == *service && span.name.starts_with(name);
        let rest = if is_next { rest } else { chain };
        rest.is_empty() || self.children(span).any(|child| self.goes_on(child, rest))
    }

    fn roots(&self) -> impl Iterator<Item = &Span> {
        let known: BTreeSet<_> = self.spans.iter().map(|span| &span.span_id).collect();
        self.spans.iter().filter(move |span| !known.contains(&span.parent_id))
    }

    fn children<'a>(&'a self, parent: &'a Span) -> impl Iterator<Item = &'a Span> {
        self.spans.iter().filter(|span| span.parent_id == parent.span_id)
    }

    fn show(&self, f: &mut fmt::Formatter<'_>, span: &Span, depth: usize) -> fmt::Result {
        let failed = if span.failed { "  FAILED" } else { "" };
        let millis = span.took.as_secs_f64() * 1000.0;
        let name = format!("{:indent$}{} ({})", "", span.name, span.kind, indent = 2 * depth);
        writeln!(f, "{:8} {name:90} {millis:9.1} ms{failed}", span.service)?;
        let children: Vec<_> = self.children(span).collect();
        for child in children.iter().take(MOST_CHILDREN) {
            self.show(f, child, depth + 1)?;
        }
        match children.len().saturating_sub(MOST_CHILDREN) {
            0 => Ok(()),
            more => {
                let indent = 2 * (depth + 1);
                writeln!(f, "{:8} {:indent$}… and {more} more", "", "")
            }
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: BTreeSet<_> = self.spans.iter().map(|span| &*span.service).collect();
        let services: Vec<_> = services.into_iter().collect();
        let id = self.spans.first().map_or("", |span| &*span.trace_id);
        writeln!(f, "trace {id}: {} spans of {}", self.spans.len(), services.join(", "))?;
        self.roots().try_for_each(|root| self.show(f, root, 0))
    }
}
