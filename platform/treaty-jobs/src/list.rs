//! `list`: what there is, for a person, a program or an alert.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use anyhow::{Result, bail};
use clap::ValueEnum;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use treaty_nats::{DeadLetter, DeadLetterDepth, DeadLetterFilter, DeadLetters};

use crate::arguments::{Filter, Target};
use crate::text::{time, visible};

/// Lists dead letters, oldest first.
///
/// Exit status: 0; 2 when there are more than --fail-above; 1 when the server could not be
/// asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  treaty-jobs list --handler consumer-shop-v1-ShipOrder --limit 10
  treaty-jobs list --fail-above 0 --format metrics   # for a probe that runs each minute")]
pub struct List {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    filter: Filter,
    /// At most so many, the oldest.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Fail, with exit status 2, when more than so many fit.
    #[arg(long, value_name = "N")]
    fail_above: Option<u64>,
    /// How they are written; `metrics` is their number for each handler, and the time of the
    /// oldest, in the text format of Prometheus.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    Text,
    Json,
    Metrics,
}

impl List {
    pub async fn run(&self) -> Result<ExitCode> {
        let filter = self.filter.to_filter();
        if self.format == ListFormat::Metrics && filter.code.is_some() {
            bail!("metrics are by handler; --reason does not go with them");
        }
        let letters = self.target.dead_letters().await?;
        let total = match self.format {
            ListFormat::Metrics => {
                let depths = letters.depth(&filter).await?;
                print!("{}", metrics(&depths));
                sum(&depths)
            }
            ListFormat::Text | ListFormat::Json => {
                let total = count(&letters, &filter).await?;
                let found = letters.find(filter).await?.take(self.limit);
                let found: Vec<_> = found.try_collect().await?;
                match self.format {
                    ListFormat::Json => println!("{:#}", as_json(&found, total)),
                    _ => print!("{}", table(&found, total)),
                }
                total
            }
        };
        let alert = self.fail_above.is_some_and(|most| total > most);
        Ok(if alert { ExitCode::from(2) } else { ExitCode::SUCCESS })
    }
}

/// The server counts by handler; by code it has to be done here.
async fn count(letters: &DeadLetters, filter: &DeadLetterFilter) -> Result<u64> {
    if filter.code.is_none() {
        return Ok(sum(&letters.depth(filter).await?));
    }
    let found = letters.find(filter.clone()).await?;
    Ok(found.try_fold(0, async |count, _| Ok(count + 1)).await?)
}

fn sum(depths: &[DeadLetterDepth]) -> u64 {
    depths.iter().map(|depth| depth.letters).sum()
}

fn table(letters: &[DeadLetter], total: u64) -> String {
    let mut text = String::new();
    if !letters.is_empty() {
        let widest = letters.iter().map(|letter| letter.durable.len()).max().unwrap_or_default();
        let handlers = widest.max("HANDLER".len());
        let _ = writeln!(
            text,
            "{:>8}  {:<20}  {:<handlers$}  {:>8}  {:>8}  REASON",
            "NUMBER", "SET ASIDE", "HANDLER", "ATTEMPTS", "REDRIVES"
        );
        for letter in letters {
            let _ = writeln!(
                text,
                "{:>8}  {:<20}  {:<handlers$}  {:>8}  {:>8}  {}",
                letter.number,
                time(letter.set_aside),
                letter.durable,
                letter.attempts,
                letter.redrives,
                visible(&letter.reason)
            );
        }
    }
    let shown = u64::try_from(letters.len()).unwrap_or(u64::MAX);
    let _ = match total {
        0 => writeln!(text, "There is no dead letter."),
        1 => writeln!(text, "1 dead letter."),
        _ if shown < total => {
            writeln!(text, "{total} dead letters, {shown} shown: --limit shows more.")
        }
        _ => writeln!(text, "{total} dead letters."),
    };
    text
}

fn as_json(letters: &[DeadLetter], total: u64) -> Value {
    let letters: Vec<_> = letters.iter().map(facts).collect();
    json!({ "total": total, "deadLetters": letters })
}

/// What is known of a letter besides headers and payload.
pub fn facts(letter: &DeadLetter) -> Value {
    json!({
        "number": letter.number,
        "setAside": time(letter.set_aside),
        "stream": letter.stream,
        "handler": letter.durable,
        "event": letter.event,
        "reason": letter.reason,
        "code": letter.code().map(treaty_error::Code::as_str),
        "attempts": letter.attempts,
        "redrives": letter.redrives,
        "subject": letter.subject,
        "streamSequence": letter.stream_sequence,
        "messageId": letter.message_id,
        "bytes": letter.payload.len(),
    })
}

/// Prometheus's text format, version 0.0.4.
fn metrics(depths: &[DeadLetterDepth]) -> String {
    let mut text = String::from(
        "# HELP treaty_dead_letters Messages that could not be handled and wait for an operator.\n\
         # TYPE treaty_dead_letters gauge\n",
    );
    for depth in depths {
        let labels = labels(depth);
        let _ = writeln!(text, "treaty_dead_letters{{{labels}}} {}", depth.letters);
    }
    text.push_str(
        "# HELP treaty_dead_letters_oldest_timestamp_seconds When the oldest was set aside.\n\
         # TYPE treaty_dead_letters_oldest_timestamp_seconds gauge\n",
    );
    for depth in depths {
        let labels = labels(depth);
        let seconds = depth.oldest.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let _ =
            writeln!(text, "treaty_dead_letters_oldest_timestamp_seconds{{{labels}}} {seconds}");
    }
    text
}

fn labels(depth: &DeadLetterDepth) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("stream=\"{}\",handler=\"{}\"", escaped(&depth.stream), escaped(&depth.durable))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn metrics_are_in_the_text_format() {
        let depth = DeadLetterDepth {
            stream: "athlete".to_owned(),
            durable: "a\"b".to_owned(),
            letters: 3,
            oldest: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        };
        let text = metrics(&[depth]);
        assert!(
            text.contains("\ntreaty_dead_letters{stream=\"athlete\",handler=\"a\\\"b\"} 3\n"),
            "{text}"
        );
        assert!(text.ends_with("handler=\"a\\\"b\"} 1700000000\n"), "{text}");
    }
}
