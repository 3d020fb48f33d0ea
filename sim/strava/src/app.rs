//! The simulator as a whole: routes, start and stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::SimulatorConfig;
use crate::counters::record;
use crate::faults::{FaultPlanError, FaultRoutes, inject};
use crate::generate::{MAX_ACTIVITIES_PER_ATHLETE, MAX_ATHLETES};
use crate::listener::{Connection, SimListener};
use crate::quota::meter;
use crate::reply::Refusal;
use crate::state::{Shared, Simulation};
use crate::{activities, control, oauth, webhooks};

/// How long open requests may take to end when the simulator stops.
const GRACE: Duration = Duration::from_secs(5);

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// More athletes than there are identifiers.
    #[error("at most {MAX_ATHLETES} athletes fit")]
    TooManyAthletes,
    /// More activities than there are identifiers.
    #[error("at most {MAX_ACTIVITIES_PER_ATHLETE} activities an athlete fit")]
    TooManyActivities,
    /// The faults make no sense.
    #[error("the fault plan is wrong")]
    Faults(#[from] FaultPlanError),
    /// The client that calls webhooks could not be made.
    #[error("cannot make an HTTP client")]
    Client(#[from] reqwest::Error),
}

/// A running simulator; it ends when dropped, and gracefully with [`Simulator::stop`].
pub struct Simulator {
    address: SocketAddr,
    simulation: Shared,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Listens on the configured address and starts to serve.
    pub async fn start(config: SimulatorConfig) -> Result<Self, StartError> {
        let address = config.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        Self::start_on(listener, config)
    }

    /// Starts to serve on a listener that is already bound; must be called within a Tokio runtime.
    pub fn start_on(listener: TcpListener, config: SimulatorConfig) -> Result<Self, StartError> {
        if config.athletes > MAX_ATHLETES {
            return Err(StartError::TooManyAthletes);
        }
        if config.activities_per_athlete > MAX_ACTIVITIES_PER_ATHLETE {
            return Err(StartError::TooManyActivities);
        }
        config.faults.validate()?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let simulation = Arc::new(Simulation::new(config, webhook_client()?));
        let app = router(simulation.clone()).into_make_service_with_connect_info::<Connection>();
        let server = axum::serve(SimListener(listener), app)
            .with_graceful_shutdown(simulation.shutdown.clone().cancelled_owned());
        let server = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the simulator's server failed");
            }
        });
        Ok(Self { address, simulation, server })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of all its URLs, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops accepting, lets open requests end for a few seconds, then cuts off the rest.
    pub async fn stop(mut self) {
        self.simulation.shutdown.cancel();
        self.simulation.tasks.close();
        let ended = async {
            // The server logs its own failure, and cancelling it is not one.
            let _ = (&mut self.server).await;
            self.simulation.tasks.wait().await;
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!("cut off requests that did not end in time");
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.simulation.shutdown.cancel();
        self.server.abort();
    }
}

fn webhook_client() -> Result<reqwest::Client, reqwest::Error> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing the race against another installer leaves a provider all the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()
}

fn router(simulation: Shared) -> Router {
    let faults = |routes: FaultRoutes| from_fn_with_state((simulation.clone(), routes), inject);
    // Layers added later run earlier: a request is counted against the quota before it meets a
    // fault, so that even a refused or broken answer carries the quota's headers.
    let api = activities::routes()
        .layer(faults(FaultRoutes::Api))
        .layer(from_fn_with_state(simulation.clone(), meter));
    let subscriptions = webhooks::routes().layer(faults(FaultRoutes::Api));
    let oauth = oauth::routes().layer(faults(FaultRoutes::Oauth));
    let strava = api
        .merge(subscriptions)
        .merge(oauth)
        .fallback(|| async { Refusal::unknown_path() })
        .layer(from_fn_with_state(simulation.clone(), record));
    strava.merge(control::routes()).layer(from_fn(utf8)).with_state(simulation)
}

/// Strava names the character set of its JSON.
async fn utf8(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    use axum::http::{HeaderValue, header::CONTENT_TYPE};
    let mut response = next.run(request).await;
    if let Some(value) = response.headers_mut().get_mut(CONTENT_TYPE)
        && value == "application/json"
    {
        *value = HeaderValue::from_static("application/json; charset=utf-8");
    }
    response
}
