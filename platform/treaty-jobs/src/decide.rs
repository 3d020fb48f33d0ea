//! `redrive` and `discard`: what ends a letter.

use std::process::ExitCode;

use anyhow::{Result, bail};
use treaty_error::Code;
use treaty_nats::DeadLetter;

use crate::arguments::{Selection, Target};
use crate::text::visible;

/// Publishes messages again, for the handler that failed, and removes their dead letters.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  treaty-jobs redrive 12 13
  treaty-jobs redrive --all --reason NOT_FOUND --dry-run
  treaty-jobs redrive --all --handler consumer-shop-v1-ShipOrder --limit 1   # one, to see")]
pub struct Redrive {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    selection: Selection,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Give them to another durable consumer of the stream: the new name of a handler.
    #[arg(long, value_name = "DURABLE")]
    to: Option<String>,
}

/// Removes dead letters for good.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  treaty-jobs discard 12 --yes
  treaty-jobs discard --all --handler consumer-shop-v1-ShipOrder   # tells what --yes would remove")]
pub struct Discard {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    selection: Selection,
    /// Really remove them: nothing brings them back.
    #[arg(long)]
    yes: bool,
}

impl Redrive {
    pub async fn run(&self) -> Result<ExitCode> {
        let letters = self.target.dead_letters().await?;
        let to = self.to.as_deref();
        let (mut driven, mut failed) = (0_u64, 0_u64);
        let each = self.selection.each(&letters, async |letter| {
            if self.dry_run {
                driven += 1;
                println!("would drive again {}", line(&letter));
                return Ok(());
            }
            match letters.redrive(&letter, to).await {
                Ok(published) => {
                    driven += 1;
                    let before = if published.duplicate { ", published before" } else { "" };
                    println!(
                        "driven again {}: sequence {}{before}",
                        line(&letter),
                        published.stream_sequence
                    );
                }
                // No other letter would fare better.
                Err(error) if error.code() == Code::Unavailable => return Err(error.into()),
                Err(error) => {
                    failed += 1;
                    eprintln!("kept {}: {}", line(&letter), visible(&error.to_string()));
                }
            }
            Ok(())
        });
        let ended = each.await;
        let what = if self.dry_run { "would be driven again" } else { "driven again" };
        println!("{driven} {what}.");
        ended?;
        if failed > 0 {
            bail!("{failed} could not be driven again, and are kept");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Discard {
    pub async fn run(&self) -> Result<ExitCode> {
        let letters = self.target.dead_letters().await?;
        let mut count = 0_u64;
        let each = self.selection.each(&letters, async |letter| {
            if !self.yes {
                count += 1;
                println!("would discard {}", line(&letter));
            } else if letters.discard(letter.number).await? {
                count += 1;
                println!("discarded {}", line(&letter));
            }
            Ok(())
        });
        let ended = each.await;
        if self.yes {
            println!("{count} discarded.");
        }
        ended?;
        if !self.yes && count > 0 {
            bail!("nothing was discarded: --yes discards these {count}, for good");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A letter in a line, for what is told of it.
fn line(letter: &DeadLetter) -> String {
    let subject = letter.subject.as_deref().unwrap_or("an unknown subject");
    format!("{} ({} of {})", letter.number, visible(subject), letter.durable)
}
