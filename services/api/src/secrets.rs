//! The verb `secrets`: for a person who puts a secret where the api finds it.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use api::config::SecretsVerbConfig;
use clap::{Parser, Subcommand};
use treaty_secrets::{Expected, Secret, SecretPath};
use zeroize::Zeroizing;

use crate::migrate::chain;

/// Writes and deletes secrets in the store that the service's configuration names. Reads `secrets` of
/// the configuration alone. No value is ever printed, or taken from the command line, where others
/// could read it.
#[derive(Parser)]
#[command(name = "api secrets", bin_name = "api secrets")]
struct Arguments {
    /// Configuration file (TOML).
    #[arg(long, env = "TREATY_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Writes a secret, in place of the one that may be there: a JSON object of texts on standard input.
    #[command(after_help = r#"Examples:
  api secrets put strava-credentials < credentials.json
  printf '{"STRAVA_CLIENT_ID": "12345", "STRAVA_CLIENT_SECRET": "%s"}' "$SECRET" | api secrets put strava-credentials"#)]
    Put {
        /// Where, such as `strava-credentials`.
        path: String,
    },
    /// Shows the names of a secret's values and its version.
    #[command(after_help = "Examples:
  api secrets names strava-credentials")]
    Names {
        /// Where, such as `strava-credentials`.
        path: String,
    },
    /// Deletes a secret.
    #[command(after_help = "Examples:
  api secrets delete strava-credentials")]
    Delete {
        /// Where, such as `strava-credentials`.
        path: String,
    },
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse_from(std::env::args_os().skip(1));
    match run(&arguments) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("api secrets: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, Failure> {
    treaty_service::crypto::install();
    let config: SecretsVerbConfig =
        treaty_service::config::load("api", arguments.config.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(obey(&arguments.verb, &config))
}

async fn obey(verb: &Verb, config: &SecretsVerbConfig) -> Result<String, Failure> {
    let store = treaty_secrets::open(&config.secrets).await?;
    match verb {
        Verb::Put { path } => {
            let (path, secret) = (SecretPath::new(path.as_str())?, from_standard_input()?);
            let seen = store.read(&path).await?;
            let version = store.write(&path, &secret, Expected::after(seen.as_ref())).await?;
            Ok(format!("{path} has version {version}"))
        }
        Verb::Names { path } => {
            let path = SecretPath::new(path.as_str())?;
            let stored = store.read(&path).await?.ok_or("there is no such secret")?;
            let names: Vec<_> = stored.secret.fields().map(|(name, _)| name).collect();
            Ok(format!("{path}, version {}: {}", stored.version, names.join(", ")))
        }
        Verb::Delete { path } => {
            let path = SecretPath::new(path.as_str())?;
            store.delete(&path).await?;
            Ok(format!("{path} is deleted"))
        }
    }
}

fn from_standard_input() -> Result<Secret, Failure> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().read_to_string(&mut text)?;
    // The error of serde could quote what was typed.
    let value = serde_json::from_str(&text).map_err(|_hidden| "standard input holds no JSON")?;
    let secret = Secret::from_json(value);
    Ok(secret.ok_or("standard input holds no JSON object of texts")?)
}
