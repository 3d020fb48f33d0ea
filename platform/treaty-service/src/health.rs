//! Whether the process lives and whether it can do its work.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::ListenConfig;

/// Where `/livez` and `/readyz` answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File to write the address to once it is known.
    pub address_file: Option<PathBuf>,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::UNSPECIFIED, 8081).into(), address_file: None }
    }
}

impl HealthConfig {
    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> ListenConfig {
        ListenConfig { listen: self.listen, address_file: self.address_file.clone() }
    }
}

/// What the readiness of a process depends on. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Health {
    components: Arc<RwLock<BTreeMap<&'static str, bool>>>,
}

/// One thing that readiness depends on.
#[derive(Clone, Debug)]
pub struct Component {
    name: &'static str,
    health: Health,
}

impl Component {
    /// Tells whether it is ready.
    pub fn set_ready(&self, ready: bool) {
        self.health.set(self.name, ready);
    }
}

impl Health {
    /// Without components, which is ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component, not ready at first.
    #[must_use]
    pub fn component(&self, name: &'static str) -> Component {
        self.set(name, false);
        Component { name, health: self.clone() }
    }

    /// Whether every component is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.snapshot().values().all(|ready| *ready)
    }

    /// Every component and whether it is ready.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<&'static str, bool> {
        self.components.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, name: &'static str, ready: bool) {
        let mut components = self.components.write().unwrap_or_else(PoisonError::into_inner);
        let before = components.insert(name, ready);
        drop(components);
        if before.is_some_and(|before| before != ready) {
            tracing::info!(component = name, ready, "readiness changed");
        }
    }

    /// `/livez`, which answers as long as the process can answer, and `/readyz`,
    /// which answers 503 and names the components while one is not ready.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/livez", get(|| async { "ok" }))
            .route("/readyz", get(readyz))
            .with_state(self.clone())
    }

    /// Serves [`router`](Self::router) until the token is cancelled, for services
    /// that have no HTTP of their own.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        until: CancellationToken,
    ) -> std::io::Result<()> {
        axum::serve(listener, self.router())
            .with_graceful_shutdown(async move { until.cancelled().await })
            .await
    }
}

async fn readyz(State(health): State<Health>) -> (StatusCode, Json<serde_json::Value>) {
    let components = health.snapshot();
    let ready = components.values().all(|ready| *ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": ready, "components": components })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_component_decides() {
        let health = Health::new();
        assert!(health.is_ready());
        let (one, two) = (health.component("one"), health.component("two"));
        one.set_ready(true);
        assert!(!health.is_ready());
        two.set_ready(true);
        assert!(health.is_ready());
        one.set_ready(false);
        assert_eq!(health.snapshot(), BTreeMap::from([("one", false), ("two", true)]));
    }
}
