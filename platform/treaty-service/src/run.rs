//! The life of a process.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, Command};
use serde::de::DeserializeOwned;
use tracing::Instrument;

use crate::shutdown::chain;
use crate::{ConfigError, LogConfig, Shutdown, TracesConfig, Validate, config, crypto};

/// Exit status for a configuration that is wrong: `EX_CONFIG` of sysexits.
const BAD_CONFIG: u8 = 78;

/// The configuration of a service.
pub trait ServiceConfig: DeserializeOwned + Validate {
    /// The log.
    fn log(&self) -> &LogConfig;

    /// Where traces go.
    fn traces(&self) -> &TracesConfig;

    /// How long a shutdown waits for tasks. Shorter than the time that the
    /// platform grants before it kills.
    fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(25)
    }
}

/// Runs a service: `main` calls it and returns what it returns.
///
/// `start` builds the service, starts its tasks with [`Shutdown::spawn`] and
/// returns; the process then lasts until a signal comes or a task ends. A signal
/// that comes while `start` is at work drops it.
pub fn run<C, E, F, Fut>(service: &'static str, start: F) -> ExitCode
where
    C: ServiceConfig,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
    F: FnOnce(C, Shutdown) -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    crypto::install();
    let arguments = Arguments::read(service);
    let config: C = match load(service, arguments.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{service}: {error}");
            return ExitCode::from(BAD_CONFIG);
        }
    };
    if arguments.check_config {
        println!("{service}: the configuration is valid");
        return ExitCode::SUCCESS;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{service}: the runtime does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let started = treaty_telemetry::init(service, config.log(), config.traces(), runtime.handle());
    let telemetry = match started {
        Ok(guard) => guard,
        Err(error) => {
            eprintln!("{service}: {}", chain(&error));
            return ExitCode::from(BAD_CONFIG);
        }
    };
    let span = tracing::info_span!("process", service);
    let code = runtime.block_on(live(config, start).instrument(span));
    // What is not delivered yet goes out while there is a runtime to carry it.
    drop(telemetry);
    // What blocks a thread must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

fn load<C: ServiceConfig>(service: &str, file: Option<&Path>) -> Result<C, ConfigError> {
    let config: C = config::load(service, file)?;
    match config.traces().problems().first() {
        None => Ok(config),
        Some((key, expected)) => {
            Err(ConfigError::invalid(*key, format!("expected {expected}")).of_service(service))
        }
    }
}

async fn live<C, E, F, Fut>(config: C, start: F) -> ExitCode
where
    C: ServiceConfig,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
    F: FnOnce(C, Shutdown) -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    let grace = config.shutdown_grace();
    let shutdown = match Shutdown::on_signals() {
        Ok(shutdown) => shutdown,
        Err(error) => {
            tracing::error!(%error, "signals cannot be watched");
            return ExitCode::FAILURE;
        }
    };
    let token = shutdown.token();
    let started = tokio::select! {
        started = start(config, shutdown.clone()) => started.map_err(Into::into),
        () = token.cancelled() => Ok(()),
    };
    let mut code = ExitCode::SUCCESS;
    match started {
        Ok(()) if token.is_cancelled() => {}
        Ok(()) => tracing::info!("started"),
        Err(error) => {
            tracing::error!(error = chain(&*error), "the service does not start");
            code = ExitCode::FAILURE;
            shutdown.trigger();
        }
    }
    match shutdown.wait(grace).await {
        Ok(()) => tracing::info!("ended"),
        Err(error) => {
            tracing::error!(%error, "ended badly");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// The arguments that every service takes.
struct Arguments {
    config: Option<PathBuf>,
    check_config: bool,
}

impl Arguments {
    fn read(service: &'static str) -> Self {
        let matches = command(service).get_matches();
        Self {
            config: matches.get_one::<PathBuf>("config").cloned(),
            check_config: matches.get_flag("check-config"),
        }
    }
}

fn command(service: &'static str) -> Command {
    let prefix = config::environment_prefix(service);
    Command::new(service)
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(format!(
            "Every key can be set in the environment too, which wins over the file:\n\
             http.listen is {prefix}HTTP__LISTEN."
        ))
        .arg(
            Arg::new("config")
                .long("config")
                .env("TREATY_CONFIG")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Configuration file (TOML)"),
        )
        .arg(
            Arg::new("check-config")
                .long("check-config")
                .action(ArgAction::SetTrue)
                .help("Check the configuration and exit"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        command("api").debug_assert();
    }
}
