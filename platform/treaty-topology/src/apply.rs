//! Carrying a plan out.

use serde_json::{Map, Value, json};

use crate::plan::{Action, Plan, Step};
use crate::server::{Server, ServerError};

/// Carries out all steps in order; `done` is told each one that succeeded.
///
/// # Errors
/// At the first step that the server refuses. Those before it stay done: applying a
/// new plan goes on from there.
pub async fn apply(
    server: &Server,
    plan: &Plan,
    mut done: impl FnMut(&Step),
) -> Result<(), ServerError> {
    for step in &plan.steps {
        carry_out(server, step).await?;
        done(step);
    }
    Ok(())
}

async fn carry_out(server: &Server, step: &Step) -> Result<(), ServerError> {
    if matches!(step.action, Action::Delete | Action::Replace) {
        let what = match &step.subject.durable {
            None => format!("STREAM.DELETE.{}", step.subject.stream),
            Some(durable) => format!("CONSUMER.DELETE.{}.{durable}", step.subject.stream),
        };
        server.ask(&what, json!({})).await?;
    }
    if step.action == Action::Delete {
        return Ok(());
    }
    match &step.subject.durable {
        None => {
            let verb = if step.action == Action::Update { "UPDATE" } else { "CREATE" };
            let what = format!("STREAM.{verb}.{}", step.subject.stream);
            server.ask(&what, Value::Object(step.config.clone())).await?;
        }
        Some(durable) => {
            let what = consumer_subject(&step.subject.stream, durable, &step.config);
            let request = json!({
                "stream_name": step.subject.stream,
                "config": Value::Object(step.config.clone()),
            });
            server.ask(&what, request).await?;
        }
    }
    Ok(())
}

/// The server wants the filter, where there is just one, as part of the subject.
fn consumer_subject(stream: &str, durable: &str, config: &Map<String, Value>) -> String {
    let filter = config.get("filter_subject").and_then(Value::as_str).unwrap_or_default();
    let dot = if filter.is_empty() { "" } else { "." };
    format!("CONSUMER.CREATE.{stream}.{durable}{dot}{filter}")
}
