//! The callback that Strava knows: the handshake of a subscription, and its events.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Event, Recorder, TurnedAway, Unusable};

/// The path up to the secret.
pub const CALLBACK_PATH: &str = "/v1/strava/webhook";

/// Largest body that is read: a real one has about 200 bytes.
const MAX_BODY: usize = 16 * 1024;
/// Strava waits for two seconds. What takes longer is sent again, and recorded once.
const PATIENCE: Duration = Duration::from_millis(1_900);

/// What the callback knows.
#[derive(Clone)]
pub struct Callback {
    secret_digest: [u8; 32],
    verify_token_digest: [u8; 32],
    recorder: Recorder,
}

impl Callback {
    /// A callback below a path that ends in the secret.
    #[must_use]
    pub fn new(
        path_secret: &SecretString,
        verify_token: &SecretString,
        recorder: Recorder,
    ) -> Self {
        let (secret_digest, verify_token_digest) = (of(path_secret), of(verify_token));
        Self { secret_digest, verify_token_digest, recorder }
    }

    /// Its routes.
    pub fn routes(self) -> Router {
        Router::new()
            .route(&format!("{CALLBACK_PATH}/{{secret}}"), get(shake_hands).post(take))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self)
    }
}

fn of(secret: &SecretString) -> [u8; 32] {
    digest(secret.expose_secret())
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Who does not know the path learns nothing, not even that there is one.
fn knows(secret: &str, digest_of_secret: &[u8; 32]) -> bool {
    digest(secret).ct_eq(digest_of_secret).into()
}

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
    #[serde(rename = "hub.verify_token")]
    verify_token: String,
}

/// Strava asks whether we want a subscription: whoever made it knows our token.
async fn shake_hands(
    State(callback): State<Callback>,
    Path(secret): Path<String>,
    handshake: Result<Query<Handshake>, axum::extract::rejection::QueryRejection>,
) -> Response {
    if !knows(&secret, &callback.secret_digest) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(Query(handshake)) = handshake else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if handshake.mode != "subscribe" {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if !knows(&handshake.verify_token, &callback.verify_token_digest) {
        tracing::warn!("a subscription to events was asked for with a wrong token");
        return StatusCode::FORBIDDEN.into_response();
    }
    Json(serde_json::json!({ "hub.challenge": handshake.challenge })).into_response()
}

/// Records an event. It is acted upon afterwards, because Strava does not wait.
async fn take(
    State(callback): State<Callback>,
    Path(secret): Path<String>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    if !knows(&secret, &callback.secret_digest) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let stats = callback.recorder.stats();
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            stats.count_unusable();
            return rejection.status().into_response();
        }
    };
    let event = match Event::read(&body) {
        Ok(event) => event,
        Err(unusable) => {
            stats.count_unusable();
            tracing::debug!(reason = %unusable, bytes = body.len(), "an event is ignored");
            // Strava would only send the same again.
            return match unusable {
                Unusable::UnknownKind => StatusCode::OK,
                Unusable::Malformed => StatusCode::BAD_REQUEST,
            }
            .into_response();
        }
    };
    // Gone on with when the time is over: the event may still be recorded.
    let recorded = tokio::time::timeout(PATIENCE, callback.recorder.record(event)).await;
    match recorded.unwrap_or(Err(TurnedAway)) {
        Ok(recorded) => {
            tracing::debug!(?recorded, "an event came");
            StatusCode::OK.into_response()
        }
        Err(TurnedAway) => {
            stats.count_turned_away();
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
