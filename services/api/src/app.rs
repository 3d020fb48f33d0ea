//! The composition root: what is made of what.

use std::sync::Arc;
use std::time::Duration;

use api_port::Services;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_http::Gateway;
use treaty_nats::Connection;
use treaty_payload::Contracts;
use treaty_rpc::{Authenticator, GrpcServer};
use treaty_telemetry::Metrics;

use crate::activities::{Activities, ActivitiesRpc, PgActivities};
use crate::athletes::{Athletes, AthletesRpc, PgAthletes};
use crate::config::Config;
use crate::connections::{
    Application, Connections, ConnectionsRpc, PgConnections, StravaOAuthClient, TokenKeeper,
    TokenMove,
};
use crate::dead_letters::{DeadLetters, DeadLettersRpc, OperatorBroker};
use crate::figures::{OutboxFigures, PoolFigures, QuotaFigures};
use crate::parts::{self, Part, RunError, Stops};
use crate::quota::{PgQuota, Quota, QuotaRpc};
use crate::sync::{Orphans, PgSyncs, SyncRpc, Syncs};
use crate::webhooks::{
    Callback, Inbox, Recorder, Subscriptions, WebhookFigures, WebhookStats, WebhooksRpc,
};
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
    /// The secret store cannot be used.
    #[error("the secret store cannot be used")]
    Secrets(#[from] treaty_secrets::SecretsError),
    /// Something that it stands on failed.
    #[error("{0}")]
    Part(#[from] Error),
}

/// The api, connected and ready to serve.
pub struct App {
    config: Config,
    pool: PgPool,
    nats: Connection,
    authenticator: Arc<Authenticator>,
    services: Services,
    connections: Connections,
    webhook_stats: Arc<WebhookStats>,
    tokens: TokenKeeper,
    metrics: Metrics,
}

impl App {
    /// Connects to everything that the api stands on.
    ///
    /// # Errors
    /// When something cannot be reached or used.
    pub async fn connect(config: Config) -> Result<Self, StartError> {
        let authenticator = Arc::new(Authenticator::new(&config.auth())?);
        let secrets = treaty_secrets::open(&config.secrets).await?;
        let application = Application::open(&config.strava, Arc::clone(&secrets)).await?;
        database::reach(&config.database).await?;
        let pool = database::pool(&config.database)?;
        if config.migrate_on_start {
            database::migrate(&pool).await?;
        }
        let nats = treaty_nats::connect(&config.nats).await?;
        nats.ensure_streams(api_port::STREAMS).await?;
        let tokens = TokenKeeper::new(pool.clone(), secrets);
        let connections = connections(&config, &pool, &tokens, &application)?;
        let quota = Quota::new(Arc::new(PgQuota::new(pool.clone())), config.quota.settings());
        let services = services(&config, &pool, &connections, application, quota.clone())?;
        let metrics = figures(&pool, quota);
        let webhook_stats = Arc::<WebhookStats>::default();
        if config.webhooks.is_some() {
            let figures = WebhookFigures::new(Arc::clone(&webhook_stats), pool.clone());
            metrics.add(Arc::new(figures));
        }
        Ok(Self {
            config,
            pool,
            nats,
            authenticator,
            services,
            connections,
            tokens,
            webhook_stats,
            metrics,
        })
    }

    /// The figures of the process.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Serves until `shutdown`, or until one part fails, which stops the others.
    ///
    /// At `shutdown` it is not ready any more, but answers for the time of notice, so that whoever
    /// watches readiness goes elsewhere first. The relay and the other parts that work by themselves
    /// end after the servers: what the last calls promised goes out as well.
    ///
    /// # Errors
    /// When a part has stopped unasked.
    pub async fn serve(
        self,
        listeners: Listeners,
        shutdown: CancellationToken,
    ) -> Result<(), RunError> {
        let stops = Stops::new(&shutdown);
        let servers = self.servers(listeners, &stops.serving);
        let workers = self.workers(&stops.working);
        let outcome = parts::run(servers, workers, &stops).await;
        // Acknowledgements that are still on their way reach the server before the process ends.
        self.nats.flush().await;
        self.pool.close().await;
        outcome
    }

    /// What answers calls.
    fn servers(&self, listeners: Listeners, stop: &CancellationToken) -> Vec<Part<'_>> {
        let gateway = Gateway::new(&self.config.http.gateway, Arc::clone(&self.authenticator));
        let mut others = health(self.pool.clone(), stop.clone());
        if let Some(directory) = &self.config.http.documents {
            others = others.merge(treaty_http::documents(directory));
        }
        if let Some(callback) = self.callback() {
            others = others.merge(callback.routes());
        }
        let site = self.services.routes(&gateway).with(others);
        let http = treaty_http::serve(listeners.http, site, &self.config.http.server, stop.clone());
        let server =
            GrpcServer::new(self.config.grpc.server.clone(), Arc::clone(&self.authenticator));
        let grpc = self.services.register(server).serve(listeners.grpc, stop.clone());
        vec![Part::server("the HTTP server", http), Part::server("the gRPC server", grpc)]
    }

    /// What works by itself.
    fn workers(&self, stop: &CancellationToken) -> Vec<Part<'_>> {
        let (relay, relay_stop) = (self.relay(), stop.clone());
        let (orphans, orphans_stop) = (self.orphans(), stop.clone());
        let (inbox, inbox_stop) = (self.inbox(), stop.clone());
        let (tokens, tokens_stop) = (TokenMove::new(self.tokens.clone()), stop.clone());
        let inbox = async move {
            match inbox {
                Some(inbox) => inbox.run(inbox_stop).await,
                None => inbox_stop.cancelled().await,
            }
        };
        vec![
            Part::worker("the relay of the outbox", async move { relay.run(relay_stop).await }),
            Part::worker("the move of tokens to the secret store", async move {
                tokens.run(tokens_stop).await;
            }),
            Part::worker("the search for syncs that never ended", async move {
                orphans.run(orphans_stop).await;
            }),
            Part::worker("the inbox of Strava's events", inbox),
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

    /// Strava's door, where there is one.
    fn callback(&self) -> Option<Callback> {
        let webhooks = self.config.webhooks.as_ref()?;
        let recorder = Recorder::new(self.pool.clone(), Arc::clone(&self.webhook_stats));
        Some(Callback::new(&webhooks.path_secret, &webhooks.verify_token, recorder))
    }

    fn inbox(&self) -> Option<Inbox> {
        let settings = self.config.webhooks.as_ref()?.settings();
        let overlap = self.config.sync.settings().overlap;
        let (connections, tokens) = (self.connections.clone(), self.tokens.clone());
        Some(Inbox::new(self.pool.clone(), connections, tokens, settings, overlap))
    }
}

/// What the process tells of itself beside what adapters measure.
fn figures(pool: &PgPool, quota: Quota) -> Metrics {
    let metrics = Metrics::new();
    metrics.add(Arc::new(PoolFigures(pool.clone())));
    metrics.add(Arc::new(OutboxFigures(pool.clone())));
    metrics.add(Arc::new(QuotaFigures(quota)));
    metrics
}

fn connections(
    config: &Config,
    pool: &PgPool,
    tokens: &TokenKeeper,
    application: &Application,
) -> Result<Connections, Error> {
    Ok(Connections::new(
        Arc::new(PgConnections::new(pool.clone(), tokens.clone())),
        Arc::new(tokens.clone()),
        Arc::new(StravaOAuthClient::new(&config.strava, application.clone())?),
        config.connections(),
        clock::system(),
    ))
}

fn services(
    config: &Config,
    pool: &PgPool,
    connections: &Connections,
    application: Application,
    quota: Quota,
) -> Result<Services, Error> {
    let athletes = Athletes::new(Arc::new(PgAthletes::new(pool.clone())));
    let settings = config.sync.settings();
    let activities = PgActivities::new(pool.clone(), settings.lease_time);
    let activities = Activities::new(Arc::new(activities));
    let syncs = Syncs::new(PgSyncs::new(pool.clone()), settings);
    let webhooks = config.webhooks.as_ref();
    let subscriptions = Subscriptions::new(pool.clone(), &config.strava, webhooks, application)?;
    let broker = OperatorBroker::new(config.operations.broker(&config.nats));
    let dead_letters = DeadLetters::new(broker, Contracts::decode(api_port::DESCRIPTORS)?);
    Ok(Services {
        athletes: Arc::new(AthletesRpc::new(athletes)),
        activities: Arc::new(ActivitiesRpc::new(activities)),
        connections: Arc::new(ConnectionsRpc::new(connections.clone())),
        dead_letters: Arc::new(DeadLettersRpc::new(dead_letters)),
        quota: Arc::new(QuotaRpc::new(quota)),
        sync: Arc::new(SyncRpc::new(syncs)),
        webhooks: Arc::new(WebhooksRpc::new(subscriptions)),
    })
}

/// `/livez` says that the process runs; `/readyz` that calls can be answered, and will be for a
/// while. NATS is not asked: without it jobs wait in the outbox, and calls are answered all the
/// same.
fn health(pool: PgPool, stop: CancellationToken) -> Router {
    let ready = async move || {
        if stop.is_cancelled() {
            return (StatusCode::SERVICE_UNAVAILABLE, "about to stop\n");
        }
        let answer =
            tokio::time::timeout(Duration::from_secs(2), sqlx::query("SELECT 1").execute(&pool));
        match answer.await {
            Ok(Ok(_)) => (StatusCode::OK, "ready\n"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "Postgres does not answer\n"),
        }
    };
    Router::new().route("/livez", get(async || "alive\n")).route("/readyz", get(ready))
}
