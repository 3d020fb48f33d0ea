//! `cargo xtask jobs`: what could not be handled, looked at and decided.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

use crate::{program, up, workspace};

/// Lists, shows, drives again and discards dead letters: jobs that could not be handled.
///
/// Acts on the server of --server or NATS_URL, else on the system that `cargo xtask up`
/// runs, as its operator. Builds and runs the program treaty-jobs, which ships beside the
/// services and needs no Cargo; `cargo xtask jobs redrive --help` shows a verb's options.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:
  cargo xtask jobs list
  cargo xtask jobs list --fail-above 0            # exit status 2 when there are any
  cargo xtask jobs show 12                        # the payload as JSON
  cargo xtask jobs redrive 12                     # after the cause is mended
  cargo xtask jobs redrive --all --reason NOT_FOUND --dry-run
  cargo xtask jobs discard 12 --yes --server nats://127.0.0.1:4222"
)]
pub struct Arguments {
    /// `list`, `show`, `redrive` or `discard`, and its options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let mut command = program::command("treaty-jobs", &self.arguments);
        if !self.names_server() && !self.asks_for_help() {
            add_running(&mut command)?;
        }
        // Kept until the program has ended.
        let _contracts = if self.shows() { Some(add_contracts(&mut command)?) } else { None };
        program::run(&mut command)
    }

    fn has(&self, options: &[&str]) -> bool {
        let texts = self.arguments.iter().filter_map(|argument| argument.to_str());
        texts
            .map(|text| text.split('=').next().unwrap_or_default())
            .any(|one| options.contains(&one))
    }

    fn names_server(&self) -> bool {
        self.has(&["--server", "--url"]) || std::env::var_os("NATS_URL").is_some()
    }

    fn asks_for_help(&self) -> bool {
        self.arguments.is_empty() || self.has(&["--help", "-h", "help", "--version"])
    }

    /// Whether payloads are to be decoded, by the contracts as they are here.
    fn shows(&self) -> bool {
        self.has(&["show"])
            && !self.asks_for_help()
            && !self.has(&["--contracts"])
            && std::env::var_os("TREATY_CONTRACTS").is_none()
    }
}

/// The broker of the system that is up, and its operator.
fn add_running(command: &mut Command) -> Result<()> {
    let Some(state) = up::running()? else { return Ok(()) };
    let (Some(url), Some(password)) = (state["nats"].as_str(), state["nats_password"].as_str())
    else {
        return Ok(());
    };
    eprintln!("On the system that is up, {url}:");
    command.env("NATS_URL", url).env("NATS_USER", "operations").env("NATS_PASSWORD", password);
    Ok(())
}

/// The contracts of this workspace as descriptors, in a file.
fn add_contracts(command: &mut Command) -> Result<NamedTempFile> {
    let directory = workspace::root().join("contracts");
    let contracts = codegen::load::load(&directory, &workspace::includes()?)?;
    let mut file = NamedTempFile::new().context("a file for the contracts' descriptors")?;
    file.write_all(&contracts.image).context("writing the contracts' descriptors")?;
    command.env("TREATY_CONTRACTS", file.path());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Arguments {
        Arguments { arguments: words.split(' ').map(OsString::from).collect() }
    }

    #[test]
    fn a_server_that_is_named_is_never_replaced_by_the_one_that_is_up() {
        for named in ["list --server nats://a:1", "list --url=nats://a:1"] {
            assert!(of(named).names_server(), "{named}");
        }
        assert!(!of("list --handler x").has(&["--server", "--url"]));
        assert!(of("show --help").asks_for_help());
        assert!(!of("show 1 --contracts=a.binpb").shows());
    }
}
