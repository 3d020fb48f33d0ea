//! The athlete and their activities, as the access token's scopes let them be seen.

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json, routing};

use crate::generate::locate;
use crate::grants::Session;
use crate::params::Params;
use crate::profile::SummaryAthlete;
use crate::reply::Refusal;
use crate::state::Shared;
use crate::summary::{DetailedActivity, SummaryActivity};
use crate::timeline::Selection;

const DEFAULT_PER_PAGE: u64 = 30;
const MAX_PER_PAGE: u64 = 200;

pub(crate) fn routes() -> axum::Router<Shared> {
    axum::Router::new()
        .route("/api/v3/athlete", routing::get(athlete))
        .route("/api/v3/athlete/activities", routing::get(list))
        .route("/api/v3/activities/{id}", routing::get(get))
}

async fn athlete(
    State(sim): State<Shared>,
    Extension(session): Extension<Session>,
) -> Json<SummaryAthlete> {
    Json(sim.generator.athlete(session.athlete).into())
}

async fn list(
    State(sim): State<Shared>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<SummaryActivity>>, Refusal> {
    if !session.scopes.reads_activities() {
        return Err(Refusal::missing_activity_scope());
    }
    let params = Params::from_query(query.as_deref());
    let selection = Selection {
        before: params.number("before")?,
        after: params.number("after")?,
        private_too: session.scopes.reads_private_activities(),
    };
    let page = params.number("page")?.unwrap_or(1);
    let per_page = params.number("per_page")?.unwrap_or(DEFAULT_PER_PAGE);
    if page == 0 {
        return Err(Refusal::bad_request("Application", "page", "invalid"));
    }
    match per_page {
        0 => return Err(Refusal::bad_request("Application", "per page", "invalid")),
        1..=MAX_PER_PAGE => {}
        _ => return Err(Refusal::bad_request("Application", "per page", "limit exceeded")),
    }
    let activities = sim.timeline(session.athlete).page(selection, page, per_page);
    let renderer = sim.renderer();
    Ok(Json(activities.iter().map(|activity| renderer.summary(activity)).collect()))
}

/// One activity. Of others' there is nothing to see: this Strava has no followers.
async fn get(
    State(sim): State<Shared>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<DetailedActivity>, Refusal> {
    if !session.scopes.reads_activities() {
        return Err(Refusal::missing_activity_scope());
    }
    let id: u64 = id.parse().map_err(|_| Refusal::not_found("Activity"))?;
    let activity = locate(id)
        .filter(|(athlete, _)| *athlete == session.athlete)
        .and_then(|(athlete, sequence)| {
            let timeline = sim.timeline(athlete);
            timeline.changes.unwrap_or_default().find(&sim.generator, athlete, sequence)
        })
        .filter(|activity| session.scopes.reads_private_activities() || !activity.is_private())
        .ok_or(Refusal::not_found("Activity"))?;
    Ok(Json(sim.renderer().detailed(&activity)))
}
