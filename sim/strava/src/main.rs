//! The simulated Strava as a process of its own.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use secrecy::SecretString;
use strava::{QuotaWindows, RateLimits, RefreshRotation, Simulator, SimulatorConfig};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A faithful Strava, because the real one cannot be called from a test.
#[derive(Debug, Parser)]
#[command(name = "strava-sim", version)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, env = "STRAVA_SIM_LISTEN", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Writes the bound address to this file once requests can be made.
    #[arg(long, value_name = "FILE")]
    write_address: Option<PathBuf>,
    /// The identifier of the only application.
    #[arg(long, env = "STRAVA_SIM_CLIENT_ID", default_value_t = 12_345)]
    client_id: u64,
    /// The secret of the application.
    #[arg(long, env = "STRAVA_SIM_CLIENT_SECRET", hide_env_values = true, value_parser = secret)]
    client_secret: SecretString,
    /// A host that a redirect URI may name; may be given several times.
    #[arg(long = "redirect-host", value_name = "HOST", default_values = ["localhost", "127.0.0.1", "[::1]"])]
    redirect_hosts: Vec<String>,
    /// What all data and faults are derived from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many athletes exist.
    #[arg(long, default_value_t = 100)]
    athletes: u64,
    /// How many activities each athlete starts with.
    #[arg(long, default_value_t = 200)]
    activities_per_athlete: u64,
    #[command(flatten)]
    limits: Limits,
    /// Seconds for which an access token is valid.
    #[arg(long, value_name = "SECONDS", default_value = "21600")]
    access_token_lifetime: NonZeroU64,
    /// Replace the refresh token on every n-th refresh; 0 for never.
    #[arg(long, value_name = "N", default_value_t = 1)]
    rotate_refresh_token_every: u64,
    /// One activity in N has an upload_id beyond 64 bits; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 500)]
    oversized_upload_id_every: u64,
    /// One activity in N has a sport that no documentation lists; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 200)]
    unknown_sport_every: u64,
    /// Milliseconds between two attempts to deliver a webhook.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    webhook_retry_delay_ms: u64,
}

/// The quota; the defaults are what Strava grants a new application.
#[derive(Debug, clap::Args)]
struct Limits {
    /// All requests in a quarter of an hour.
    #[arg(long = "limit-15min", default_value_t = 200)]
    quarter_hour: u64,
    /// All requests in a day.
    #[arg(long = "limit-daily", default_value_t = 2_000)]
    daily: u64,
    /// Reads in a quarter of an hour.
    #[arg(long = "read-limit-15min", default_value_t = 100)]
    read_quarter_hour: u64,
    /// Reads in a day.
    #[arg(long = "read-limit-daily", default_value_t = 1_000)]
    read_daily: u64,
    /// Seconds of the shorter window, for runs that wait for its turn.
    #[arg(long, value_name = "SECONDS", default_value = "900")]
    window_seconds: NonZeroU32,
    /// Seconds of the longer window.
    #[arg(long, value_name = "SECONDS", default_value = "86400")]
    day_seconds: NonZeroU32,
    /// No limit that a run could reach.
    #[arg(long, conflicts_with_all = ["quarter_hour", "daily", "read_quarter_hour", "read_daily"])]
    unlimited: bool,
}

impl From<&Limits> for QuotaWindows {
    fn from(limits: &Limits) -> Self {
        Self {
            quarter_hour_seconds: limits.window_seconds.get().into(),
            day_seconds: limits.day_seconds.get().into(),
        }
    }
}

impl From<&Limits> for RateLimits {
    fn from(limits: &Limits) -> Self {
        if limits.unlimited {
            return Self::UNLIMITED;
        }
        Self {
            quarter_hour: limits.quarter_hour,
            daily: limits.daily,
            read_quarter_hour: limits.read_quarter_hour,
            read_daily: limits.read_daily,
        }
    }
}

impl From<Arguments> for SimulatorConfig {
    fn from(arguments: Arguments) -> Self {
        Self {
            listen: arguments.listen,
            client_id: arguments.client_id,
            client_secret: arguments.client_secret,
            redirect_hosts: arguments.redirect_hosts,
            seed: arguments.seed,
            athletes: arguments.athletes,
            activities_per_athlete: arguments.activities_per_athlete,
            limits: (&arguments.limits).into(),
            windows: (&arguments.limits).into(),
            access_token_lifetime: arguments.access_token_lifetime.get(),
            refresh_rotation: RefreshRotation::every(arguments.rotate_refresh_token_every),
            oversized_upload_id_every: arguments.oversized_upload_id_every,
            unknown_sport_every: arguments.unknown_sport_every,
            webhook_retry_delay: Duration::from_millis(arguments.webhook_retry_delay_ms),
            ..Self::default()
        }
    }
}

fn secret(text: &str) -> Result<SecretString, String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(SecretString::from(text)) }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Only another provider in this process could make this fail, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    // Whoever waits for the address may send the signal right after: listen for it first.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let write_address = arguments.write_address.clone();
    let simulator = Simulator::start(arguments.into()).await?;
    tracing::info!(url = simulator.url(), "the simulated Strava is ready");
    if let Some(path) = write_address {
        write_whole(&path, simulator.address())
            .with_context(|| format!("cannot write the address to {}", path.display()))?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C")?,
    }
    tracing::info!("stopping");
    simulator.stop().await;
    Ok(())
}

/// Writes the address under another name first, so that nobody reads half of it.
fn write_whole(path: &Path, address: SocketAddr) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    std::fs::write(&unfinished, format!("{address}\n"))?;
    std::fs::rename(&unfinished, path)
}
