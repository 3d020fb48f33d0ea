//! `treaty-topology`: plans, applies and watches streams and consumers. It ships
//! beside the services, for a job that runs before a deployment.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_nats::ConnectOptions;
use clap::{Parser, Subcommand, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};
use treaty_topology::{Definitions, Plan, Server, apply, report_json};

/// Brings the streams and durable consumers of a NATS server to what the contracts
/// say. Settings that the contracts do not speak of stay as an operator has set them.
#[derive(Debug, Parser)]
#[command(name = "treaty-topology", version)]
#[command(
    after_help = "Examples, with `cargo xtask nats` in the place of `treaty-topology` where there is Cargo:
  treaty-topology plan                          # of gen/ops/nats, on nats://127.0.0.1:4222
  treaty-topology apply --url nats://nats:4222 --credentials-file operator.creds
  treaty-topology drift --format json"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows what `apply` would do, and changes nothing.
    Plan {
        #[command(flatten)]
        target: Target,
        /// Also delete what is declared nowhere.
        #[arg(long)]
        prune: bool,
    },
    /// Creates and changes streams and consumers. Refuses, before anything is
    /// changed, what would lose data.
    Apply {
        #[command(flatten)]
        target: Target,
        /// Also delete what is declared nowhere. Needs --allow-data-loss.
        #[arg(long)]
        prune: bool,
        /// Carry out steps that lose messages or a consumer's position.
        #[arg(long)]
        allow_data_loss: bool,
    },
    /// Fails, with exit status 2, when the server is not as the contracts say.
    Drift {
        #[command(flatten)]
        target: Target,
    },
}

/// Where the definitions are, and where the server.
#[derive(Debug, clap::Args)]
struct Target {
    /// Directory with the definitions, as the generator writes it.
    #[arg(long, default_value = "gen/ops/nats")]
    definitions: PathBuf,
    /// Address of the server.
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    url: String,
    /// User with the permissions of an operator.
    #[arg(long, env = "NATS_USER", requires = "password")]
    user: Option<String>,
    /// Password of the user. Better given by the environment: others can read arguments.
    #[arg(long, env = "NATS_PASSWORD", hide_env_values = true)]
    password: Option<SecretString>,
    /// File with a user's JWT and seed, as `nsc` writes it.
    #[arg(long, env = "NATS_CREDENTIALS_FILE")]
    credentials_file: Option<PathBuf>,
    /// How the difference is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Two providers may be compiled in; the first one that is installed counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Arguments::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Plan { target, prune } => {
            let (_, plan) = target.plan(prune).await?;
            target.show(&plan);
            Ok(ExitCode::SUCCESS)
        }
        Command::Apply { target, prune, allow_data_loss } => {
            let (server, plan) = target.plan(prune).await?;
            target.show(&plan);
            if !allow_data_loss && plan.losing().next().is_some() {
                bail!(
                    "nothing was changed: what is marked LOSES DATA needs --allow-data-loss. \
                     Let consumers finish first (`nats consumer info`), or keep the old setting"
                );
            }
            let done = |step: &treaty_topology::Step| eprintln!("done: {}", step.subject);
            apply(&server, &plan, done).await.context("stopped half-way; apply again")?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Drift { target } => {
            let (_, plan) = target.plan(false).await?;
            target.show(&plan);
            Ok(if plan.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
        }
    }
}

impl Target {
    async fn plan(&self, prune: bool) -> Result<(Server, Plan)> {
        let wanted = Definitions::read(&self.definitions)?;
        let server = Server::new(self.connect().await?);
        let plan = Plan::new(&wanted, &server.found().await?, prune);
        Ok((server, plan))
    }

    async fn connect(&self) -> Result<async_nats::Client> {
        let mut options = ConnectOptions::new()
            .name("treaty-topology")
            .connection_timeout(Duration::from_secs(5));
        if let (Some(user), Some(password)) = (&self.user, &self.password) {
            let password = password.expose_secret().to_owned();
            options = options
                .user_and_password(user.clone(), password)
                .custom_inbox_prefix(format!("_INBOX.{user}"));
        }
        if let Some(file) = &self.credentials_file {
            options = options
                .credentials_file(file)
                .await
                .with_context(|| format!("reading {}", file.display()))?;
        }
        let advice = "NATS cannot be reached: look at --url, --user and NATS_PASSWORD";
        options.connect(self.url.as_str()).await.context(advice)
    }

    fn show(&self, plan: &Plan) {
        match self.format {
            Format::Text => println!("{plan}"),
            Format::Json => println!("{}", report_json(plan)),
        }
    }
}
