//! `show`: one letter in full.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use treaty_nats::DeadLetter;
use treaty_payload::{Contracts, Payload};

use crate::arguments::{Format, Target};
use crate::list::facts;
use crate::text::{dump, time, visible};

/// Shows one dead letter in full: why, where from, headers, and the payload as JSON.
///
/// Fields that the contract marks with `debug_redact` are not shown, and neither are bytes
/// that cannot be read where they may hold such a field.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  treaty-jobs show 12 --contracts contracts.binpb   # `buf build -o contracts.binpb` makes it
  treaty-jobs show 12 --raw                         # the bytes, whatever they are")]
pub struct Show {
    /// Number of the dead letter, as `list` shows it.
    number: u64,
    #[command(flatten)]
    target: Target,
    /// The contracts, as a serialised `google.protobuf.FileDescriptorSet`.
    #[arg(long, env = "TREATY_CONTRACTS", value_name = "FILE")]
    contracts: Option<PathBuf>,
    /// Show the payload's bytes as they are, secrets included.
    #[arg(long)]
    raw: bool,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Show {
    pub async fn run(&self) -> Result<ExitCode> {
        let contracts = self.contracts.as_deref().map(contracts).transpose()?;
        let letter = self.target.dead_letters().await?.get(self.number).await?;
        let payload = self.payload(contracts.as_ref(), &letter);
        match self.format {
            Format::Text => print!("{}", text(&letter, &payload)),
            Format::Json => println!("{:#}", as_json(&letter, &payload)),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn payload(&self, contracts: Option<&Contracts>, letter: &DeadLetter) -> Payload {
        match (letter.payload_elsewhere(), contracts) {
            (Some(why), _) => Payload::Withheld { why },
            _ if self.raw => Payload::Bytes { why: None },
            (None, None) => {
                let why = "no contracts were given";
                Payload::Withheld { why: why.to_owned() }
            }
            (None, Some(contracts)) => {
                contracts.read_payload(letter.event.as_deref(), &letter.payload)
            }
        }
    }
}

/// Reads a serialised `google.protobuf.FileDescriptorSet`.
fn contracts(file: &Path) -> Result<Contracts> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    Contracts::decode(&bytes).with_context(|| format!("{} is of no use", file.display()))
}

fn text(letter: &DeadLetter, payload: &Payload) -> String {
    let missing = || "(not said)".to_owned();
    let shown = |value: &Option<String>| value.as_deref().map_or_else(missing, visible);
    let sequence = letter.stream_sequence.map_or_else(missing, |number| number.to_string());
    let rows = [
        ("number", letter.number.to_string()),
        ("set aside", time(letter.set_aside)),
        ("handler", letter.durable.clone()),
        ("reason", visible(&letter.reason)),
        ("attempts", letter.attempts.to_string()),
        ("redrives", letter.redrives.to_string()),
        ("event", shown(&letter.event)),
        ("subject", shown(&letter.subject)),
        ("stream", format!("{}, sequence {sequence}", letter.stream)),
        ("message id", shown(&letter.message_id)),
    ];
    let mut text: String =
        rows.iter().map(|(name, value)| format!("{name:<12}{value}\n")).collect();
    text.push_str("headers\n");
    for (name, value) in letter.headers() {
        text.push_str(&format!("  {}: {}\n", visible(name), visible(value)));
    }
    text.push_str(&format!("payload     {} bytes", letter.payload.len()));
    match payload {
        Payload::Json { value, hidden } => {
            text.push_str(&format!("\n{}\n", visible_lines(&format!("{value:#}"))));
            if !hidden.is_empty() {
                text.push_str(&format!("hidden      {}\n", hidden.join(", ")));
            }
        }
        Payload::Bytes { why } => {
            let why = why.as_ref().map(|why| format!(", {}", visible(why))).unwrap_or_default();
            text.push_str(&format!("{why}\n{}", dump(&letter.payload)));
        }
        Payload::Withheld { why } => {
            text.push_str(&format!(", not shown: {}\n", visible(why)));
            text.push_str("  --raw shows the bytes that are there, secrets included\n");
        }
    }
    text
}

/// JSON escapes what a terminal would obey, but not all of it.
fn visible_lines(json: &str) -> String {
    json.lines().map(visible).collect::<Vec<_>>().join("\n")
}

fn as_json(letter: &DeadLetter, payload: &Payload) -> Value {
    let mut facts = facts(letter);
    let headers: Vec<_> =
        letter.headers().iter().map(|(name, value)| json!([name, value])).collect();
    facts["headers"] = Value::Array(headers);
    match payload {
        Payload::Json { value, hidden } => {
            facts["payload"] = value.clone();
            facts["hidden"] = json!(hidden);
        }
        Payload::Bytes { why } => {
            let hex: String = letter.payload.iter().map(|byte| format!("{byte:02x}")).collect();
            facts["payloadHex"] = Value::String(hex);
            facts["undecoded"] = json!(why);
        }
        Payload::Withheld { why } => facts["undecoded"] = json!(why),
    }
    facts
}
