//! The composition root: what is made of what.

use std::sync::Arc;
use std::time::Duration;

use consumer_port::Clients;
use tokio::net::TcpListener;
use treaty_error::{Code, Error};
use treaty_nats::{Connection, HandlerMetrics, HandlerStats};
use treaty_service::health::Component;
use treaty_service::{Health, Metrics, Shutdown};

use crate::config::Config;
use crate::handlers::{self, SyncAthletes};
use crate::strava::{Quota, StravaClient};

/// How often readiness looks at the connection to NATS.
const READINESS_INTERVAL: Duration = Duration::from_millis(500);

/// The consumer at work.
#[derive(Debug)]
pub struct App {
    stats: Arc<HandlerStats>,
}

impl App {
    /// Starts the tasks of the consumer. They end when `shutdown` begins, after the jobs in work.
    ///
    /// Health is answered from the start, so that a process that still waits for NATS is alive but
    /// not ready.
    ///
    /// # Errors
    /// When something that it stands on cannot be reached or used.
    pub async fn start(
        config: Config,
        health_listener: TcpListener,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let health = Health::new();
        let nats_ready = health.component("nats");
        shutdown.spawn("health", health.serve(health_listener, shutdown.token()));

        let metrics = Metrics::new();
        config.metrics.serve(&metrics, shutdown).await.map_err(cannot_listen)?;

        let clients = Clients::connect(&config.peers)?;
        let quota = Arc::new(Quota::new(Arc::clone(&clients.quota), shutdown.token()));
        let strava = Arc::new(StravaClient::new(&config.strava, quota)?);
        let mut nats = config.nats.clone();
        nats.name.get_or_insert_with(|| "consumer".to_owned());
        let connection = treaty_nats::connect(&nats).await?;
        connection.ensure_streams(consumer_port::STREAMS).await?;
        let sync_athletes = SyncAthletes::new(strava, &clients, &config.strava, &config.sync);

        let stats: Arc<HandlerStats> = Arc::default();
        let handler = &consumer_port::SYNC_ATHLETE_HANDLER;
        metrics.add(Arc::new(HandlerMetrics::new(handler, Arc::clone(&stats))));
        let options = config.handlers.options();
        handlers::spawn(&connection, shutdown, sync_athletes, Arc::clone(&stats), &options);
        spawn_readiness(connection, nats_ready, shutdown);
        Ok(Self { stats })
    }

    /// What the handler of jobs has done so far.
    #[must_use]
    pub fn stats(&self) -> Arc<HandlerStats> {
        Arc::clone(&self.stats)
    }
}

fn cannot_listen(error: std::io::Error) -> Error {
    Error::new(Code::Unavailable, "the metrics have no address").with_source(error)
}

fn spawn_readiness(connection: Connection, nats: Component, shutdown: &Shutdown) {
    let token = shutdown.token();
    shutdown.spawn("readiness", async move {
        loop {
            nats.set_ready(connection.is_connected());
            tokio::select! {
                () = token.cancelled() => return Ok::<(), Error>(()),
                () = tokio::time::sleep(READINESS_INTERVAL) => {}
            }
        }
    });
}
