//! The HTTP server that generated routes are mounted in.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::serve::ListenerExt;
use http::StatusCode;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use treaty_error::{Code, Error};

use crate::respond::{failure, failure_as};

/// How the server ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpServerConfig {
    /// How long requests may go on once the server is asked to stop.
    pub drain_seconds: u64,
}

impl Default for HttpServerConfig {
    fn default() -> Self {
        Self { drain_seconds: 25 }
    }
}

/// Why a server has stopped unasked.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP server failed")]
pub struct ServeError(#[from] std::io::Error);

/// Makes a finished router answer in one shape whatever happens: an unknown path,
/// a wrong method and a panic are `google.rpc.Status` JSON too.
pub fn with_fallbacks(router: Router) -> Router {
    router
        .fallback(async || failure(&Error::new(Code::NotFound, "no such path")))
        .method_not_allowed_fallback(async || {
            let error = Error::new(Code::Unimplemented, "the path does not take this method");
            failure_as(&error, StatusCode::METHOD_NOT_ALLOWED)
        })
        .layer(CatchPanicLayer::custom(panicked))
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let error = Error::internal(format!("panicked: {text}"));
    tracing::error!(error = error.chain(), "a route panicked");
    failure(&error)
}

/// Serves the router, with the fallbacks of [`with_fallbacks`], until `shutdown`; then
/// refuses new connections and lets requests end for as long as the configuration
/// says.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: &HttpServerConfig,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let drain = Duration::from_secs(config.drain_seconds);
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
    });
    let serving = axum::serve(listener, with_fallbacks(router))
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let too_late = async {
        shutdown.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        result = serving.into_future() => result.map_err(ServeError),
        () = too_late => {
            tracing::warn!("requests were still running when the time to drain was over");
            Ok(())
        }
    }
}
