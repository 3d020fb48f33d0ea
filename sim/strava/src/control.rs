//! The control surface under `/_sim/`: what a test may ask and do that no client of Strava can.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, routing};
use serde::{Deserialize, Serialize};

use crate::changes::Edit;
use crate::counters::{Counters, RouteCount};
use crate::faults::{FaultPlan, FaultPlanError};
use crate::generate::{ATHLETE_ID_BASE, locate};
use crate::oauth::disconnect;
use crate::quota::WindowRecord;
use crate::state::{Shared, Simulation};
use crate::webhooks::{Delivery, announce_activity};

const DEFAULT_ROWS: u64 = 100;
const MAX_ROWS: u64 = 10_000;

pub(crate) fn routes() -> axum::Router<Shared> {
    axum::Router::new()
        .route("/_sim/health", routing::get(|| async { StatusCode::OK }))
        .route("/_sim/summary", routing::get(summary))
        .route("/_sim/faults", routing::get(show_faults).post(set_faults))
        .route("/_sim/athletes/{id}/activities", routing::post(change_activity))
        .route("/_sim/athletes/{id}/deauthorize", routing::post(deauthorize))
        .route("/_sim/expire-tokens", routing::post(expire_tokens))
        .route("/_sim/requests", routing::get(requests).delete(reset_requests))
        .route("/_sim/quota", routing::get(quota))
        .route("/_sim/deliveries", routing::get(deliveries))
}

/// Why the control surface refused.
enum Refused {
    Faults(FaultPlanError),
    MissingId,
    NoSuchAthlete,
    NoSuchActivity,
    Full,
    Interrupted,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Faults(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::MissingId => (StatusCode::BAD_REQUEST, "id is missing".to_owned()),
            Self::NoSuchAthlete => (StatusCode::NOT_FOUND, "no such athlete".to_owned()),
            Self::NoSuchActivity => (StatusCode::NOT_FOUND, "no such activity".to_owned()),
            Self::Full => (StatusCode::CONFLICT, "no identifier left".to_owned()),
            Self::Interrupted => (StatusCode::INTERNAL_SERVER_ERROR, "interrupted".to_owned()),
        };
        (status, Json(serde_json::json!({ "error": text }))).into_response()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
}

#[derive(Serialize)]
struct Summary {
    athletes: u64,
    connected: usize,
    activities: u64,
    offset: u64,
    rows: Vec<SummaryRow>,
}

/// `activities` and `digest` cover everything, which takes `activity:read_all` to read; the `shared_`
/// pair covers what `activity:read` suffices for.
#[derive(Serialize)]
struct SummaryRow {
    athlete: u64,
    athlete_id: u64,
    activities: u64,
    digest: String,
    shared_activities: u64,
    shared_digest: String,
}

async fn summary(
    State(sim): State<Shared>,
    Query(rows): Query<Rows>,
) -> Result<Json<Summary>, Refused> {
    // Hashing thousands of activities would hold up the requests of the run.
    let compute = move || summarise(&sim, &rows);
    let computed = tokio::task::spawn_blocking(compute).await;
    computed.map(Json).map_err(|_| Refused::Interrupted)
}

fn summarise(sim: &Simulation, rows: &Rows) -> Summary {
    let (athletes, each) = (sim.config.athletes, sim.config.activities_per_athlete);
    let first = rows.offset.min(athletes);
    let last = first + rows.limit.unwrap_or(DEFAULT_ROWS).min(MAX_ROWS).min(athletes - first);
    let row = |athlete| {
        let (all, shared) = sim.timeline(athlete).tallies();
        SummaryRow {
            athlete,
            athlete_id: ATHLETE_ID_BASE + athlete,
            activities: all.activities,
            digest: all.digest.to_string(),
            shared_activities: shared.activities,
            shared_digest: shared.digest.to_string(),
        }
    };
    let table = (first..last).map(row).collect();
    let state = sim.lock();
    let generated = athletes * each;
    let activities = state.changes.values().fold(generated, |sum, changes| {
        let (created, deleted) = changes.balance(each);
        sum + created - deleted
    });
    let connected = state.grants.connected();
    Summary { athletes, connected, activities, offset: first, rows: table }
}

async fn show_faults(State(sim): State<Shared>) -> Json<FaultPlan> {
    Json(sim.lock().faults.plan().clone())
}

/// Replaces the whole plan, so that what a body leaves out is off.
async fn set_faults(
    State(sim): State<Shared>,
    Json(plan): Json<FaultPlan>,
) -> Result<Json<FaultPlan>, Refused> {
    plan.validate().map_err(Refused::Faults)?;
    sim.lock().faults.replace(plan.clone());
    Ok(Json(plan))
}

#[derive(Deserialize)]
struct Change {
    action: Action,
    id: Option<u64>,
    #[serde(default)]
    activity: Edit,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Create,
    Update,
    Delete,
}

#[derive(Serialize)]
struct Changed {
    id: u64,
    /// Whether a webhook was sent out for it.
    announced: bool,
}

async fn change_activity(
    State(sim): State<Shared>,
    Path(athlete_id): Path<u64>,
    Json(change): Json<Change>,
) -> Result<Json<Changed>, Refused> {
    let athlete = sim.athlete_index(athlete_id).ok_or(Refused::NoSuchAthlete)?;
    let (before, after) = {
        let mut state = sim.lock();
        let changes = state.changes.entry(athlete).or_default();
        let existing = || match change.id {
            None => Err(Refused::MissingId),
            Some(id) if locate(id).is_some_and(|(owner, _)| owner == athlete) => Ok(id),
            Some(_) => Err(Refused::NoSuchActivity),
        };
        match change.action {
            Action::Create => {
                let new = changes.create(&sim.generator, athlete, sim.now(), change.activity);
                (None, Some(new.ok_or(Refused::Full)?))
            }
            Action::Update => {
                let updated = changes.update(&sim.generator, existing()?, change.activity);
                let (before, after) = updated.ok_or(Refused::NoSuchActivity)?;
                (Some(before), Some(after))
            }
            Action::Delete => {
                let deleted = changes.delete(&sim.generator, existing()?);
                (Some(deleted.ok_or(Refused::NoSuchActivity)?), None)
            }
        }
    };
    let id = after.as_ref().or(before.as_ref()).map_or(0, |activity| activity.id);
    Ok(Json(Changed { id, announced: announce_activity(&sim, before.as_ref(), after.as_ref()) }))
}

/// What an athlete does who takes the application off the list in the settings.
async fn deauthorize(
    State(sim): State<Shared>,
    Path(athlete_id): Path<u64>,
) -> Result<Json<serde_json::Value>, Refused> {
    let athlete = sim.athlete_index(athlete_id).ok_or(Refused::NoSuchAthlete)?;
    let revoked = disconnect(&sim, athlete);
    Ok(Json(serde_json::json!({ "revoked": revoked })))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    athlete_id: Option<u64>,
}

async fn expire_tokens(
    State(sim): State<Shared>,
    request: Option<Json<Expire>>,
) -> Result<Json<serde_json::Value>, Refused> {
    let Json(Expire { athlete_id }) = request.unwrap_or_default();
    let athlete = match athlete_id {
        None => None,
        Some(id) => Some(sim.athlete_index(id).ok_or(Refused::NoSuchAthlete)?),
    };
    let expired = sim.lock().grants.expire(athlete, sim.now());
    Ok(Json(serde_json::json!({ "expired": expired })))
}

#[derive(Serialize)]
struct Requests {
    total: u64,
    routes: Vec<RouteCount>,
}

async fn requests(State(sim): State<Shared>) -> Json<Requests> {
    let state = sim.lock();
    Json(Requests { total: state.counters.total(), routes: state.counters.lines() })
}

async fn reset_requests(State(sim): State<Shared>) -> StatusCode {
    sim.lock().counters = Counters::default();
    StatusCode::NO_CONTENT
}

/// What each quarter of an hour with calls came to, the current one last.
async fn quota(State(sim): State<Shared>) -> Json<Vec<WindowRecord>> {
    Json(sim.lock().quota.windows())
}

async fn deliveries(State(sim): State<Shared>) -> Json<Vec<Delivery>> {
    Json(sim.lock().deliveries.iter().cloned().collect())
}
