//! SQL statements, measured and as spans.
//!
//! sqlx tells of each statement when it has ended, with its text, which has placeholders where
//! values are, and the time that it took. Within a trace that becomes a span, after the fact.

use std::fmt;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer;
use tracing_subscriber::registry::LookupSpan;

use crate::durations;

/// Target of the events by which sqlx tells of statements.
const TARGET: &str = "sqlx::query";

/// First words of statements that are measured by name; others together.
const OPERATIONS: [&str; 11] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "WITH",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "LISTEN",
    "SET",
];

/// Longest text of a statement that goes into a span, in bytes.
const LONGEST_TEXT: usize = 4096;

/// Measures statements, and makes spans of them where there is a tracer.
pub(crate) fn layer<S>(tracer: Option<SdkTracer>) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    Statements { tracer }
        .with_filter(filter_fn(|metadata| metadata.is_event() && metadata.target() == TARGET))
}

struct Statements {
    tracer: Option<SdkTracer>,
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        let parent = Context::current();
        // What a process does for itself, such as looking for work, is no trace.
        let tracer = self.tracer.as_ref().filter(|_| parent.span().span_context().is_sampled());
        let mut statement = Statement { is_traced: tracer.is_some(), ..Statement::default() };
        event.record(&mut statement);
        durations::statement_ended(measured_as(&statement.summary), statement.elapsed);
        if let Some(tracer) = tracer {
            statement.become_span(tracer, &parent);
        }
    }
}

/// The label of a statement that begins like this.
fn measured_as(text: &str) -> &'static str {
    let (first, _) = summary(text);
    OPERATIONS.into_iter().find(|known| first.eq_ignore_ascii_case(known)).unwrap_or("other")
}

/// What sqlx says.
#[derive(Default)]
struct Statement {
    /// The first words, or all of a short statement.
    summary: String,
    /// The whole of a long one, else empty.
    whole: String,
    elapsed: Duration,
    returned: i64,
    /// The whole is for a span only.
    is_traced: bool,
}

impl Statement {
    fn text(&self) -> &str {
        let whole = self.whole.trim();
        if whole.is_empty() { &self.summary } else { whole }
    }

    fn become_span(&self, tracer: &SdkTracer, parent: &Context) {
        let ended = SystemTime::now();
        let begun = ended.checked_sub(self.elapsed).unwrap_or(ended);
        let text = self.text();
        let (operation, table) = summary(text);
        let name = match table {
            Some(table) => format!("{operation} {table}"),
            None => operation.to_owned(),
        };
        let mut attributes = vec![
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.operation.name", operation.to_owned()),
            KeyValue::new("db.query.text", cut(text).to_owned()),
            KeyValue::new("db.response.returned_rows", self.returned),
        ];
        attributes.extend(table.map(|table| KeyValue::new("db.collection.name", table.to_owned())));
        let mut span = tracer
            .span_builder(name)
            .with_kind(SpanKind::Client)
            .with_start_time(begun)
            .with_attributes(attributes)
            .start_with_context(tracer, parent);
        span.end_with_timestamp(ended);
    }
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" if self.is_traced => value.clone_into(&mut self.whole),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.elapsed = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.returned = i64::try_from(value).unwrap_or(i64::MAX);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// The first word of a statement, and the table that it is about where that is easily seen. One that
/// begins with `WITH` is called by what it does first.
fn summary(text: &str) -> (&str, Option<&str>) {
    let mut words = text.split_whitespace();
    let mut operation = words.next().unwrap_or("query").trim_end_matches(';');
    if operation.eq_ignore_ascii_case("WITH") {
        let does = |word: &&str| {
            let known = ["INSERT", "UPDATE", "DELETE", "MERGE", "SELECT"];
            known.iter().any(|known| word.eq_ignore_ascii_case(known))
        };
        let mut bare = words.by_ref().map(|word| word.trim_start_matches('('));
        operation = bare.find(does).unwrap_or(operation);
    }
    let introduces = |word: &str| {
        ["FROM", "INTO", "UPDATE"].iter().any(|known| word.eq_ignore_ascii_case(known))
    };
    let table = if introduces(operation) {
        words.next()
    } else {
        words.by_ref().find(|word| introduces(word)).and_then(|_| words.next())
    };
    let is_name = |word: &&str| {
        word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.\"".contains(&byte))
    };
    (operation, table.map(|word| word.trim_end_matches([';', ','])).filter(is_name))
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_called_by_its_operation_and_its_table() {
        assert_eq!(summary("INSERT INTO outbox (id) VALUES ($1)"), ("INSERT", Some("outbox")));
        assert_eq!(summary("UPDATE athletes SET name = $1"), ("UPDATE", Some("athletes")));
        assert_eq!(summary("select 1 from a.b, c"), ("select", Some("a.b")));
        assert_eq!(summary("DELETE FROM x;"), ("DELETE", Some("x")));
        assert_eq!(summary("SELECT * FROM unnest($1::text[])"), ("SELECT", None));
        let with = "WITH w AS (\n INSERT INTO a SELECT 1 RETURNING b) SELECT count(*) FROM w";
        assert_eq!(summary(with), ("INSERT", Some("a")));
        assert_eq!(summary("with w as (update a set b = 1) select 1"), ("update", Some("a")));
        assert_eq!(summary("COMMIT"), ("COMMIT", None));
        assert_eq!(summary(""), ("query", None));
    }

    #[test]
    fn statements_are_measured_by_few_names_with_and_without_traces() {
        use tracing_subscriber::layer::SubscriberExt as _;

        assert_eq!(measured_as("select 1"), "SELECT");
        assert_eq!(measured_as("VACUUM athletes"), "other");
        let subscriber = tracing_subscriber::registry().with(layer(None));
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "sqlx::query", summary = "SAVEPOINT a", elapsed_secs = 0.25);
        });
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, durations::registry()).unwrap();
        let name = "db_client_operation_duration_seconds";
        assert!(
            text.contains(&format!("{name}_sum{{db_operation_name=\"SAVEPOINT\"}} 0.25")),
            "{text}"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "é".repeat(LONGEST_TEXT);
        assert_eq!(cut(&text).len(), LONGEST_TEXT);
        assert_eq!(cut(&format!("x{text}")).len(), LONGEST_TEXT - 1);
    }
}
