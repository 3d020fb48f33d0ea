//! Starting the whole system for `demo` and `up`, and stopping it whatever happens.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use stack::{Binaries, Options, SecretStore, Stack};
use testbed::{RunDirectory, Tool, Tools};
use tokio::signal::unix::{SignalKind, signal};

use crate::workspace;

/// Exit code of a program that was interrupted (128 + SIGINT), as shells have it.
pub const INTERRUPTED: u8 = 130;

/// How large the system is.
#[derive(Clone, Debug, clap::Args)]
pub struct Size {
    /// Athletes that register and connect.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub athletes: u32,
    /// Activities that each of them has at Strava.
    #[arg(long, default_value_t = 200)]
    pub activities_per_athlete: u32,
    /// Consumer processes that share the jobs.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub consumers: u32,
    /// Where the api keeps secrets: in encrypted files, or in Vault, for which OpenBao stands.
    #[arg(long, value_enum, default_value_t = Secrets::File)]
    pub secrets: Secrets,
    /// Seed of the simulator's data: the same seed gives the same activities.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Where the api keeps secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Secrets {
    /// Encrypted files in the directory of the run.
    File,
    /// A server of Vault's API, with a policy for the api.
    Vault,
}

impl Size {
    fn options(&self) -> Options {
        Options {
            athletes: self.athletes,
            activities_per_athlete: self.activities_per_athlete,
            consumers: self.consumers,
            seed: self.seed,
            secrets: match self.secrets {
                Secrets::File => SecretStore::File,
                Secrets::Vault => SecretStore::Vault,
            },
            ..Options::default()
        }
    }
}

/// Says what is being done, with the seconds since the start.
#[derive(Clone, Copy)]
pub struct Narrator(Instant);

impl Narrator {
    pub fn new() -> Self {
        Self(Instant::now())
    }

    pub fn say(self, line: &str) {
        eprintln!("[{:6.1}s] {line}", self.0.elapsed().as_secs_f64());
    }
}

/// Starts the system, runs `body`, stops the system.
///
/// A failure shows the services' last troubles and keeps their logs. Ctrl-C and
/// SIGTERM stop everything at any time.
pub fn with_stack(
    size: &Size,
    body: impl AsyncFnOnce(&mut Stack, Narrator) -> Result<()>,
) -> Result<ExitCode> {
    with_settings(size, Vec::new(), body)
}

/// As [`with_stack`], with further settings of the services.
pub fn with_settings(
    size: &Size,
    settings: Vec<(String, String)>,
    body: impl AsyncFnOnce(&mut Stack, Narrator) -> Result<()>,
) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(Options { settings, ..size.options() }, body))
}

async fn run(
    options: Options,
    body: impl AsyncFnOnce(&mut Stack, Narrator) -> Result<()>,
) -> Result<ExitCode> {
    let narrator = Narrator::new();
    let directory = RunDirectory::create("treaty")?;
    let path = directory.path().to_path_buf();
    let starting = tokio::task::spawn_blocking(move || start(&options, &path, narrator));
    let mut stack = tokio::select! {
        started = starting => started.context("starting the system panicked")??,
        () = interrupted() => {
            narrator.say("interrupted: every process that was started ends with this one");
            drop(directory);
            // What is being started cannot be awaited: it may be a build of minutes. The
            // leash of each process ends it when this process is gone.
            std::process::exit(i32::from(INTERRUPTED));
        }
    };
    let outcome = tokio::select! {
        outcome = body(&mut stack, narrator) => Some(outcome),
        () = interrupted() => None,
    };
    let troubles = match &outcome {
        Some(Err(_)) => stack.troubles(),
        _ => String::new(),
    };
    narrator.say("stopping everything");
    tokio::task::spawn_blocking(|| stack.stop()).await.context("stopping panicked")?;
    match outcome {
        Some(Ok(())) => {
            directory.succeeded()?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(error)) => {
            if !troubles.is_empty() {
                eprintln!("\nThe last troubles in the logs:\n{troubles}");
            }
            Err(error)
        }
        None => {
            directory.succeeded()?;
            narrator.say("interrupted");
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

fn start(options: &Options, directory: &Path, narrator: Narrator) -> Result<Stack> {
    let tools = Arc::new(Tools::with_progress(move |line| narrator.say(line))?);
    narrator.say("finding the external tools");
    let vault = (options.secrets == SecretStore::Vault).then_some(Tool::Bao);
    for tool in [Tool::Postgres, Tool::NatsServer, Tool::Temporal].into_iter().chain(vault) {
        tools.ensure(tool)?;
    }
    narrator.say("building the services");
    let binaries = Binaries::build(&workspace::root())?;
    Stack::start(&tools, &binaries, options, directory, |line| narrator.say(line))
}

/// Runs something long that starts processes of its own, in a directory of its own, which
/// stays when it fails. Ctrl-C and SIGTERM end this process, and with it all that it has
/// started.
pub fn interruptible(
    name: &str,
    body: impl AsyncFnOnce(&Path, Narrator) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let narrator = Narrator::new();
    let directory = RunDirectory::create(name)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = body(directory.path(), narrator) => Some(outcome),
            () = interrupted() => None,
        }
    });
    let Some(outcome) = outcome else {
        narrator.say("interrupted: every process that was started ends with this one");
        directory.succeeded()?;
        // A build that is under way would be waited for.
        std::process::exit(i32::from(INTERRUPTED));
    };
    let code = outcome?;
    directory.succeeded()?;
    Ok(code)
}

/// Ends when the user or a supervisor wants this process to stop.
pub async fn interrupted() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
