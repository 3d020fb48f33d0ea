//! The process: reads its configuration and handles jobs until it is told to stop.

use std::process::ExitCode;

use consumer::app::App;
use consumer::config::Config;
use treaty_service::Shutdown;

fn main() -> ExitCode {
    treaty_service::run("consumer", start)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn start(config: Config, shutdown: Shutdown) -> Result<(), Failure> {
    let health = config.health.listen().bind().await?;
    tracing::info!(health = %health.local_addr()?, "listening");
    App::start(config, health, &shutdown).await?;
    Ok(())
}
