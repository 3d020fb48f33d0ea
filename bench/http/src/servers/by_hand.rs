//! What one would write without a contract.

use anyhow::Result;
use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Activity {
    activity_id: String,
    athlete_id: String,
    name: String,
    sport_type: String,
    distance: f64,
    moving_time: i32,
    elapsed_time: i32,
    total_elevation_gain: f64,
    start_date: String,
    timezone: String,
    average_speed: f64,
    max_speed: f64,
    average_heartrate: f64,
    max_heartrate: f64,
    commute: bool,
    gear_id: String,
    description: String,
    kudos_count: i32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct StoreActivitiesRequest {
    activities: Vec<Activity>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreActivitiesResponse {
    stored: i32,
    distance: f64,
}

#[derive(Serialize)]
struct ListActivitiesResponse {
    activities: Vec<Activity>,
}

async fn list(Path(athlete_id): Path<String>) -> Json<ListActivitiesResponse> {
    let activities = vec![activity!(Activity, athlete_id.clone()), activity!(Activity, athlete_id)];
    Json(ListActivitiesResponse { activities })
}

async fn store(Json(request): Json<StoreActivitiesRequest>) -> Json<StoreActivitiesResponse> {
    Json(StoreActivitiesResponse {
        stored: i32::try_from(request.activities.len()).unwrap_or(i32::MAX),
        distance: request.activities.iter().map(|activity| activity.distance).sum(),
    })
}

pub async fn serve(listener: TcpListener) -> Result<()> {
    let router = Router::new()
        .route("/v1/athletes/{athlete_id}/activities", get(list))
        .route("/v1/activities", post(store));
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}
