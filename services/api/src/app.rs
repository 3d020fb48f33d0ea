//! The composition root: what is made of what.

use std::sync::Arc;
use std::time::Duration;

use api_port::Services;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_http::Gateway;
use treaty_nats::Connection;
use treaty_rpc::{Authenticator, GrpcServer};
use treaty_telemetry::Metrics;

use crate::activities::{Activities, ActivitiesRpc, PgActivities};
use crate::athletes::{Athletes, AthletesRpc, PgAthletes};
use crate::config::Config;
use crate::connections::{
    Connections, ConnectionsRpc, PgConnections, PgTokenStore, StravaOAuthClient,
};
use crate::quota::{PgQuota, Quota, QuotaRpc};
use crate::sync::{Orphans, PgSyncs, SyncRpc, Syncs};
use crate::{clock, database, outbox};

/// Where the api listens. Made outside, so that a test can take any free port.
pub struct Listeners {
    /// For HTTP and JSON.
    pub http: TcpListener,
    /// For gRPC.
    pub grpc: TcpListener,
}

/// Why the api could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The tokens of callers cannot be used.
    #[error("the tokens of callers cannot be used")]
    Auth(#[from] treaty_rpc::AuthConfigError),
    /// The schema cannot be brought up to date.
    #[error("the schema cannot be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Something that it stands on failed.
    #[error("{0}")]
    Part(#[from] Error),
}

/// A part that has stopped unasked.
#[derive(Debug, thiserror::Error)]
#[error("{part} has stopped")]
pub struct RunError {
    part: &'static str,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The api, connected and ready to serve.
pub struct App {
    config: Config,
    pool: PgPool,
    nats: Connection,
    authenticator: Arc<Authenticator>,
    services: Services,
    metrics: Metrics,
}

impl App {
    /// Connects to everything that the api stands on.
    ///
    /// # Errors
    /// When something cannot be reached or used.
    pub async fn connect(config: Config) -> Result<Self, StartError> {
        let authenticator = Arc::new(Authenticator::new(&config.auth())?);
        database::reach(&config.database).await?;
        let pool = database::pool(&config.database)?;
        if config.migrate_on_start {
            database::migrate(&pool).await?;
        }
        let nats = treaty_nats::connect(&config.nats).await?;
        nats.ensure_streams(api_port::STREAMS).await?;
        let services = services(&config, &pool)?;
        let metrics = Metrics::new();
        Ok(Self { config, pool, nats, authenticator, services, metrics })
    }

    /// The figures of the process.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Serves until `shutdown`, or until one part fails, which stops the others.
    ///
    /// # Errors
    /// When a part has stopped unasked.
    pub async fn serve(
        self,
        listeners: Listeners,
        shutdown: CancellationToken,
    ) -> Result<(), RunError> {
        let stop = shutdown.child_token();
        let parts = self
            .parts(listeners, &stop)
            .into_iter()
            .map(|(part, running)| supervise(part, running, stop.clone()));
        let outcomes = futures::future::join_all(parts).await;
        // Acknowledgements that are still on their way reach the server before the process ends.
        self.nats.flush().await;
        self.pool.close().await;
        outcomes.into_iter().collect()
    }

    fn parts(
        &self,
        listeners: Listeners,
        stop: &CancellationToken,
    ) -> Vec<(&'static str, BoxFuture<'_, Outcome>)> {
        let gateway = Gateway::new(&self.config.http.gateway, Arc::clone(&self.authenticator));
        let mut others = health(self.pool.clone());
        if let Some(directory) = &self.config.http.documents {
            others = others.merge(treaty_http::documents(directory));
        }
        let site = self.services.routes(&gateway).with(others);
        let http = treaty_http::serve(listeners.http, site, &self.config.http.server, stop.clone());
        let server =
            GrpcServer::new(self.config.grpc.server.clone(), Arc::clone(&self.authenticator));
        let grpc = self.services.register(server).serve(listeners.grpc, stop.clone());
        let relay = self.relay();
        let relay_stop = stop.clone();
        let orphans = self.orphans();
        let orphans_stop = stop.clone();
        vec![
            ("the HTTP server", http.map(|ended| ended.map_err(Into::into)).boxed()),
            ("the gRPC server", grpc.map(|ended| ended.map_err(Into::into)).boxed()),
            (
                "the relay of the outbox",
                async move {
                    relay.run(relay_stop).await;
                    Ok(())
                }
                .boxed(),
            ),
            (
                "the search for syncs that never ended",
                async move {
                    orphans.run(orphans_stop).await;
                    Ok(())
                }
                .boxed(),
            ),
        ]
    }

    fn relay(&self) -> outbox::Relay {
        let publishers = api_port::Publishers::new(&self.nats);
        let limit = outbox::Relay::GIVE_UP_AFTER;
        let publishers = outbox::Publishers::default()
            .with(Arc::new(publishers.sync_athlete.giving_up_after(limit)))
            .with(Arc::new(publishers.athlete_sync_ended.giving_up_after(limit)));
        outbox::Relay::new(self.pool.clone(), publishers, self.config.outbox)
    }

    fn orphans(&self) -> Orphans {
        let interval = Duration::from_secs(self.config.sync.orphans_seconds);
        Orphans::new(self.pool.clone(), self.config.sync.settings(), interval)
    }
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Runs a part; its end ends the others.
async fn supervise(
    part: &'static str,
    running: BoxFuture<'_, Outcome>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let outcome = running.await;
    let asked = stop.is_cancelled();
    stop.cancel();
    match outcome {
        Ok(()) if asked => Ok(()),
        Ok(()) => Err(RunError { part, source: None }),
        Err(error) => Err(RunError { part, source: Some(error) }),
    }
}

fn services(config: &Config, pool: &PgPool) -> Result<Services, Error> {
    let athletes = Athletes::new(Arc::new(PgAthletes::new(pool.clone())));
    let settings = config.sync.settings();
    let activities = PgActivities::new(pool.clone(), settings.lease_time);
    let activities = Activities::new(Arc::new(activities));
    let syncs = Syncs::new(PgSyncs::new(pool.clone()), settings);
    let connections = Connections::new(
        Arc::new(PgConnections::new(pool.clone())),
        Arc::new(PgTokenStore::new(pool.clone())),
        Arc::new(StravaOAuthClient::new(&config.strava)?),
        config.connections(),
        clock::system(),
    );
    let quota = Quota::new(Arc::new(PgQuota::new(pool.clone())), config.quota.settings());
    Ok(Services {
        athletes: Arc::new(AthletesRpc::new(athletes)),
        activities: Arc::new(ActivitiesRpc::new(activities)),
        connections: Arc::new(ConnectionsRpc::new(connections)),
        quota: Arc::new(QuotaRpc::new(quota)),
        sync: Arc::new(SyncRpc::new(syncs)),
    })
}

/// `/livez` says that the process runs; `/readyz` that calls can be answered. NATS is not asked:
/// without it jobs wait in the outbox, and calls are answered all the same.
fn health(pool: PgPool) -> Router {
    let ready = async move || {
        let answer =
            tokio::time::timeout(Duration::from_secs(2), sqlx::query("SELECT 1").execute(&pool));
        match answer.await {
            Ok(Ok(_)) => (StatusCode::OK, "ready\n"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "Postgres does not answer\n"),
        }
    };
    Router::new().route("/livez", get(async || "alive\n")).route("/readyz", get(ready))
}
