//! The verb `migrate`: for a job that runs before a release.

use std::path::PathBuf;
use std::process::ExitCode;

use api::config::MigrateConfig;
use api::database;
use clap::Parser;

/// Brings the schema up to date and ends. Reads `database` of the service's configuration alone.
#[derive(Parser)]
#[command(name = "api migrate", bin_name = "api migrate")]
struct Arguments {
    /// Configuration file (TOML).
    #[arg(long, env = "TREATY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse_from(std::env::args_os().skip(1));
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("api migrate: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    treaty_service::crypto::install();
    let config: MigrateConfig = treaty_service::config::load("api", arguments.config.as_deref())?;
    let _log = treaty_telemetry::init_log(&config.log)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        database::reach(&config.database).await?;
        let pool = database::pool(&config.database)?;
        database::migrate(&pool).await?;
        pool.close().await;
        tracing::info!("the schema is up to date");
        Ok(())
    })
}

/// An error with all its causes on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
