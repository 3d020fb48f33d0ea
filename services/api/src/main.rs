//! The process: `api` serves, `api migrate` brings the schema up to date and ends,
//! `api secrets` puts a secret where the service finds it.

use std::ffi::OsStr;
use std::process::ExitCode;

use api::app::{App, Listeners};
use api::config::Config;
use treaty_service::Shutdown;

mod migrate;
mod secrets;

fn main() -> ExitCode {
    match std::env::args_os().nth(1).as_deref().and_then(OsStr::to_str) {
        Some("migrate") => return migrate::main(),
        Some("secrets") => return secrets::main(),
        _ => {}
    }
    treaty_service::run("api", start)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn start(config: Config, shutdown: Shutdown) -> Result<(), Failure> {
    let (http, grpc) = (config.http.listen(), config.grpc.listen());
    let metrics = config.metrics.clone();
    let app = App::connect(config).await?;
    // Bound last: who reads the address files finds a service that answers.
    let listeners = Listeners { http: http.bind().await?, grpc: grpc.bind().await? };
    tracing::info!(
        http = %listeners.http.local_addr()?,
        grpc = %listeners.grpc.local_addr()?,
        "listening"
    );
    metrics.serve(app.metrics(), &shutdown).await?;
    shutdown.spawn("serve", app.serve(listeners, shutdown.token()));
    Ok(())
}
