//! Consent, tokens and their end.

use axum::extract::{RawQuery, State};
use axum::http::header::{AUTHORIZATION, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, routing};
use secrecy::ExposeSecret;
use serde::Serialize;
use url::Url;

use crate::grants::Tokens;
use crate::params::Params;
use crate::profile::SummaryAthlete;
use crate::reply::Refusal;
use crate::scope::Scopes;
use crate::state::{Shared, Simulation};
use crate::webhooks;

pub(crate) fn routes() -> axum::Router<Shared> {
    axum::Router::new()
        .route("/oauth/authorize", routing::get(authorize))
        .route("/oauth/mobile/authorize", routing::get(authorize))
        .route("/oauth/token", routing::post(token))
        // Strava serves the same exchange below the API's base too.
        .route("/api/v3/oauth/token", routing::post(token))
        .route("/oauth/deauthorize", routing::post(deauthorize))
}

/// The page on which an athlete consents. Here the athlete decides at once, as `sim_…` parameters say.
async fn authorize(
    State(sim): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let params = Params::from_query(query.as_deref());
    let mut redirect = checked_redirect(&sim, &params)?;
    let requested = params
        .get("scope")
        .and_then(Scopes::parse)
        .filter(|scopes| !scopes.is_empty())
        .ok_or(Refusal::bad_request("Application", "scope", "invalid"))?;
    let ticked = match params.get("sim_scope") {
        None => requested,
        Some(list) => Scopes::parse(list)
            .ok_or(Refusal::bad_request("Application", "sim_scope", "invalid"))?
            .intersection(&requested),
    };
    // Strava sends the state back even when it was given none.
    redirect.query_pairs_mut().append_pair("state", params.get("state").unwrap_or_default());
    if params.get("sim_deny").is_some_and(|deny| deny != "0") {
        redirect.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        let athlete = consenting_athlete(&sim, params.number("sim_athlete")?)?;
        let scope = ticked.to_string();
        let code = sim.lock().grants.consent(athlete, ticked, sim.now());
        redirect.query_pairs_mut().append_pair("code", &code).append_pair("scope", &scope);
    }
    Ok((StatusCode::FOUND, [(LOCATION, String::from(redirect))]).into_response())
}

/// Checks what identifies the application; where that fails, nobody is redirected anywhere.
fn checked_redirect(sim: &Simulation, params: &Params) -> Result<Url, Refusal> {
    check_client_id(sim, params)?;
    if params.get("response_type") != Some("code") {
        return Err(Refusal::bad_request("Application", "response_type", "invalid"));
    }
    params
        .get("redirect_uri")
        .and_then(|uri| Url::parse(uri).ok())
        .filter(|uri| matches!(uri.scheme(), "http" | "https"))
        .filter(|uri| {
            let host = uri.host_str().unwrap_or_default();
            sim.config.redirect_hosts.iter().any(|allowed| allowed == host)
        })
        .ok_or(Refusal::bad_request("Application", "redirect_uri", "invalid"))
}

fn consenting_athlete(sim: &Simulation, asked_for: Option<u64>) -> Result<u64, Refusal> {
    let athletes = sim.config.athletes;
    match asked_for {
        Some(index) => (index < athletes).then_some(index),
        None => sim.lock().grants.take_unconnected(athletes),
    }
    .ok_or(Refusal::bad_request("Athlete", "sim_athlete", "invalid"))
}

#[derive(Serialize)]
struct TokenResponse {
    token_type: &'static str,
    expires_at: i64,
    expires_in: i64,
    refresh_token: String,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    athlete: Option<SummaryAthlete>,
}

/// Both grants of the token endpoint.
async fn token(State(sim): State<Shared>, params: Params) -> Result<Response, Refusal> {
    check_client(&sim, &params)?;
    let now = sim.now();
    let (tokens, athlete) = match params.get("grant_type") {
        // Strava takes an absent grant type for this one.
        None | Some("authorization_code") => {
            let code = params.get("code").unwrap_or_default();
            let invalid = Refusal::bad_request("AuthorizationCode", "code", "invalid");
            let tokens = sim.lock().grants.exchange(code, now).ok_or(invalid)?;
            let athlete = sim.generator.athlete(tokens.athlete).into();
            (tokens, Some(athlete))
        }
        Some("refresh_token") => {
            let refresh_token = params.get("refresh_token").unwrap_or_default();
            let invalid = Refusal::bad_request("RefreshToken", "refresh_token", "invalid");
            (sim.lock().grants.refresh(refresh_token, now).ok_or(invalid)?, None)
        }
        Some(_) => return Err(Refusal::bad_request("Application", "grant_type", "invalid")),
    };
    let Tokens { access_token, refresh_token, expires_at, .. } = tokens;
    Ok(Json(TokenResponse {
        token_type: "Bearer",
        expires_at,
        expires_in: expires_at - now,
        refresh_token,
        access_token,
        athlete,
    })
    .into_response())
}

#[derive(Serialize)]
struct Deauthorized {
    access_token: String,
}

/// Ends the grant behind an access token.
async fn deauthorize(
    State(sim): State<Shared>,
    headers: HeaderMap,
    params: Params,
) -> Result<Json<Deauthorized>, Refusal> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer "));
    let access_token =
        params.get("access_token").or(bearer).ok_or(Refusal::invalid_access_token())?.to_owned();
    let session = sim.lock().grants.session(&access_token, sim.now());
    let session = session.ok_or(Refusal::invalid_access_token())?;
    disconnect(&sim, session.athlete);
    Ok(Json(Deauthorized { access_token }))
}

/// Ends an athlete's grant, whoever asked for it, and tells the subscriber; false if there was none.
pub(crate) fn disconnect(sim: &Shared, athlete: u64) -> bool {
    let revoked = sim.lock().grants.revoke(athlete).is_some();
    if revoked {
        webhooks::announce_deauthorization(sim, athlete);
    }
    revoked
}

/// Checks the application's identifier and secret.
pub(crate) fn check_client(sim: &Simulation, params: &Params) -> Result<(), Refusal> {
    check_client_id(sim, params)?;
    if params.get("client_secret") != Some(sim.config.client_secret.expose_secret()) {
        return Err(Refusal::invalid_application());
    }
    Ok(())
}

fn check_client_id(sim: &Simulation, params: &Params) -> Result<(), Refusal> {
    let known = params.get("client_id") == Some(sim.config.client_id.to_string().as_str());
    known.then_some(()).ok_or(Refusal::bad_request("Application", "client_id", "invalid"))
}
