//! The process: reads its configuration and dispatches until it is told to stop.

use std::process::ExitCode;

use treaty_service::Shutdown;
use worker::app::App;
use worker::config::Config;

fn main() -> ExitCode {
    treaty_service::run("worker", start)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn start(config: Config, shutdown: Shutdown) -> Result<(), Failure> {
    let health = config.health.listen().bind().await?;
    tracing::info!(health = %health.local_addr()?, "listening");
    App::start(config, health, &shutdown).await?;
    Ok(())
}
