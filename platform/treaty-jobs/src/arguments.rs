//! What can be asked for, and where the server is.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use futures::{StreamExt as _, TryStreamExt as _};
use secrecy::SecretString;
use treaty_error::Code;
use treaty_nats::{DeadLetter, DeadLetterFilter, DeadLetters, NatsConfig, connect};

use crate::decide::{Discard, Redrive};
use crate::list::List;
use crate::show::Show;

/// Looks after dead letters: messages that their handler could not handle. They are kept
/// with the reason until an operator drives them again or discards them.
#[derive(Debug, Parser)]
#[command(name = "treaty-jobs", version)]
#[command(
    after_help = "Examples, with `cargo xtask jobs` in the place of `treaty-jobs` where there is Cargo:
  treaty-jobs list                                # on nats://127.0.0.1:4222
  treaty-jobs list --reason NOT_FOUND --server nats://nats:4222 --credentials-file operator.creds
  treaty-jobs show 12
  treaty-jobs redrive 12                          # after the cause is mended
  treaty-jobs redrive --all --handler consumer-shop-v1-ShipOrder --dry-run
  treaty-jobs discard 12 --yes"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists dead letters, oldest first; with --fail-above it is an alert.
    List(List),
    /// Shows one dead letter in full: why, where from, headers, and the payload as JSON.
    Show(Show),
    /// Publishes messages again, for the handler that failed, and removes their dead letters.
    ///
    /// The dead letter is removed only after the stream has confirmed the message, so a
    /// redrive that is interrupted loses nothing: repeat it. Within the stream's duplicate
    /// window (two minutes, if the contract says nothing else) a repetition stores nothing
    /// twice.
    Redrive(Redrive),
    /// Removes dead letters for good.
    Discard(Discard),
}

/// Where the server is, and who we are.
#[derive(Debug, clap::Args)]
pub struct Target {
    /// Address of the NATS server.
    #[arg(long, alias = "url", env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    server: String,
    /// User with the permissions of an operator.
    #[arg(long, env = "NATS_USER", requires = "password")]
    user: Option<String>,
    /// Password of the user. Better given by the environment: others can read arguments.
    #[arg(long, env = "NATS_PASSWORD", hide_env_values = true)]
    password: Option<SecretString>,
    /// File with a user's JWT and seed, as `nsc` writes it.
    #[arg(long, env = "NATS_CREDENTIALS_FILE")]
    credentials_file: Option<PathBuf>,
    /// File with certificates of authorities to trust besides the system's.
    #[arg(long, env = "NATS_CA_FILE")]
    ca_file: Option<PathBuf>,
}

impl Target {
    pub async fn dead_letters(&self) -> Result<DeadLetters> {
        // A password without a user, as an environment may hold it, is not for us.
        let password = self.user.as_ref().and(self.password.clone());
        let config = NatsConfig {
            name: Some("treaty-jobs".to_owned()),
            user: self.user.clone(),
            password,
            credentials_file: self.credentials_file.clone(),
            ca_file: self.ca_file.clone(),
            connect_timeout_seconds: 5,
            ..NatsConfig::new(self.server.as_str())
        };
        let advice = "NATS cannot be used: look at --server, --user and NATS_PASSWORD";
        Ok(connect(&config).await.context(advice)?.dead_letters())
    }
}

/// Which dead letters.
#[derive(Debug, clap::Args)]
pub struct Filter {
    /// Only those of this durable consumer, for example consumer-shop-v1-ShipOrder.
    #[arg(long, alias = "durable", value_name = "DURABLE")]
    handler: Option<String>,
    /// Only those that came from this stream.
    #[arg(long)]
    stream: Option<String>,
    /// Only those that failed with this code, for example `NOT_FOUND`.
    #[arg(long, value_name = "CODE", value_parser = code)]
    reason: Option<Code>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.handler.is_none() && self.stream.is_none() && self.reason.is_none()
    }

    pub fn to_filter(&self) -> DeadLetterFilter {
        DeadLetterFilter {
            stream: self.stream.clone(),
            durable: self.handler.clone(),
            code: self.reason,
        }
    }
}

/// Some by number, or all that fit.
#[derive(Debug, clap::Args)]
pub struct Selection {
    /// Numbers of dead letters, as `list` shows them.
    #[arg(value_name = "NUMBER", required_unless_present = "all", conflicts_with = "all")]
    numbers: Vec<u64>,
    /// All that fit --handler, --stream and --reason.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: Filter,
    /// With --all: at most so many, the oldest.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl Selection {
    /// Calls `decide` for one letter after the other. A letter that is read is acted upon
    /// before the next one is, so memory is bounded and what we know of it is fresh.
    pub async fn each(
        &self,
        letters: &DeadLetters,
        mut decide: impl AsyncFnMut(DeadLetter) -> Result<()>,
    ) -> Result<()> {
        if !self.all {
            if !self.filter.is_empty() || self.limit.is_some() {
                bail!("--handler, --stream, --reason and --limit go with --all, not with numbers");
            }
            for &number in &self.numbers {
                decide(letters.get(number).await?).await?;
            }
            return Ok(());
        }
        let found = letters.find(self.filter.to_filter()).await?;
        let mut found = std::pin::pin!(found.take(self.limit.unwrap_or(usize::MAX)));
        while let Some(letter) = found.try_next().await? {
            decide(letter).await?;
        }
        Ok(())
    }
}

/// How a program or a person wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// A code by its name in `google.rpc.Code`.
fn code(name: &str) -> Result<Code, String> {
    let wanted = name.to_ascii_uppercase().replace('-', "_");
    Code::from_name(&wanted).ok_or_else(|| {
        let all: Vec<_> = Code::all().map(Code::as_str).collect();
        format!("there is no such code; there are {}", all.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
        assert_eq!(code("not-found"), Ok(Code::NotFound));
        assert!(code("NOTFOUND").unwrap_err().contains("NOT_FOUND"));
    }

    #[test]
    fn all_and_numbers_exclude_each_other_and_one_is_needed() {
        for wrong in [
            &["treaty-jobs", "redrive"][..],
            &["treaty-jobs", "redrive", "1", "--all"],
            &["treaty-jobs", "discard"],
        ] {
            assert!(Arguments::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
