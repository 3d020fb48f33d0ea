//! The gRPC server that generated adapters are added to.

use std::convert::Infallible;
use std::sync::Arc;

use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};
use tower::Service;

use crate::accept::accept;
use crate::limit::Limited;
use crate::{Authenticator, Health};

/// Largest message by default: 8 MiB, twice what gRPC allows by default, so that a
/// batch of a thousand rows passes.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;

/// How a server protects itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcServerConfig {
    /// Largest message, in and out.
    pub max_message_bytes: usize,
    /// Calls in flight over all connections; more are answered
    /// `RESOURCE_EXHAUSTED` at once.
    pub max_concurrent_calls: usize,
    /// Silence on a connection after which a ping is sent.
    pub keepalive_interval_seconds: u64,
    /// Wait for the answer to that ping before the connection is closed.
    pub keepalive_timeout_seconds: u64,
    /// Age, a tenth more or less, at which a connection is asked to close, so that
    /// clients spread over new instances; 0 for never.
    pub max_connection_age_seconds: u64,
    /// How long calls may go on once their connection is asked to close.
    pub max_connection_age_grace_seconds: u64,
    /// How long the server goes on as before once it is asked to stop, but for saying that it is
    /// not serving: whoever watches that has gone elsewhere by then.
    pub notice_milliseconds: u64,
    /// How long calls may go on after the notice.
    pub drain_seconds: u64,
}

impl Default for GrpcServerConfig {
    fn default() -> Self {
        Self {
            max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
            max_concurrent_calls: 1024,
            keepalive_interval_seconds: 30,
            keepalive_timeout_seconds: 10,
            max_connection_age_seconds: 300,
            max_connection_age_grace_seconds: 60,
            notice_milliseconds: 2_000,
            drain_seconds: 25,
        }
    }
}

/// Largest messages that one side takes and sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLimits {
    /// Largest message read.
    pub decode: usize,
    /// Largest message written.
    pub encode: usize,
}

impl Default for MessageLimits {
    fn default() -> Self {
        Self::both(DEFAULT_MAX_MESSAGE_BYTES)
    }
}

impl MessageLimits {
    /// The same limit both ways.
    #[must_use]
    pub const fn both(bytes: usize) -> Self {
        Self { decode: bytes, encode: bytes }
    }
}

/// Why a server cannot serve, or has stopped unasked.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A descriptor set given for reflection cannot be read.
    #[error("the descriptors for reflection cannot be read")]
    Reflection(#[source] tonic_reflection::server::Error),
}

/// A gRPC server being put together. It always answers the standard health service.
pub struct GrpcServer {
    config: GrpcServerConfig,
    authenticator: Arc<Authenticator>,
    permits: Arc<Semaphore>,
    routes: RoutesBuilder,
    health: Health,
    descriptors: Vec<&'static [u8]>,
}

impl GrpcServer {
    /// A server without services, whose callers prove themselves to
    /// `authenticator`.
    #[must_use]
    pub fn new(config: GrpcServerConfig, authenticator: Arc<Authenticator>) -> Self {
        let permits = config.max_concurrent_calls.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            config,
            authenticator,
            permits: Arc::new(Semaphore::new(permits)),
            routes: RoutesBuilder::default(),
            health: Health::new(),
            descriptors: Vec::new(),
        }
    }

    /// What adapters of this server prove callers with.
    #[must_use]
    pub fn authenticator(&self) -> Arc<Authenticator> {
        Arc::clone(&self.authenticator)
    }

    /// The limits that adapters of this server set.
    #[must_use]
    pub fn limits(&self) -> MessageLimits {
        MessageLimits::both(self.config.max_message_bytes)
    }

    /// Where the process says whether it wants calls. Take it once all services are
    /// added: it speaks for those it knows.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Adds a service.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a server is no number")]
    pub fn add<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(Limited::new(service, Arc::clone(&self.permits)));
        self.health.add(S::NAME);
        self
    }

    /// Lets clients ask for the contracts (`grpcurl` without proto files) of this
    /// encoded `FileDescriptorSet`.
    #[must_use]
    pub fn with_reflection(mut self, descriptor_set: &'static [u8]) -> Self {
        self.descriptors.push(descriptor_set);
        self
    }

    /// Serves until `shutdown`, reports itself as not serving for the time of notice, then
    /// refuses new connections and lets calls end for as long as the configuration says.
    ///
    /// # Errors
    /// When descriptors for reflection cannot be read.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<(), ServeError> {
        let health = self.health.clone();
        health.set_serving(true).await;
        let config = self.config.clone();
        let routes = self.into_routes()?;
        let stop = {
            let shutdown = shutdown.clone();
            async move {
                shutdown.cancelled().await;
                health.set_serving(false).await;
            }
        };
        let (drained, ()) = tokio::join!(accept(listener, routes, &config, shutdown), stop);
        if !drained {
            tracing::warn!("calls were still running when the time to drain was over");
        }
        Ok(())
    }

    fn into_routes(mut self) -> Result<Routes, ServeError> {
        let health =
            tonic_health::server::HealthService::from_health_reporter(self.health.reporter());
        self.routes.add_service(tonic_health::pb::health_server::HealthServer::new(health));
        if !self.descriptors.is_empty() {
            let v1 = self.reflection().build_v1().map_err(ServeError::Reflection)?;
            let v1alpha = self.reflection().build_v1alpha().map_err(ServeError::Reflection)?;
            self.routes.add_service(v1).add_service(v1alpha);
        }
        Ok(self.routes.routes().prepare())
    }

    fn reflection(&self) -> tonic_reflection::server::Builder<'static> {
        self.descriptors.iter().fold(
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET),
            |builder, set| builder.register_encoded_file_descriptor_set(set),
        )
    }
}

impl std::fmt::Debug for GrpcServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrpcServer")
            .field("config", &self.config)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}
