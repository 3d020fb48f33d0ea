//! Lists, single activities, scopes, and the digest.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use strava::digest::{Digest, Fingerprint, decimetres};
use strava::{ACTIVITY_ID_BASE, ATHLETE_ID_BASE, SimulatorConfig};

use crate::world::{World, config, refusal};

/// What a copy of the activities digests to, as a client computes it from the answers alone.
fn digest(activities: &[Value]) -> String {
    let mut digest = Digest::default();
    for activity in activities {
        let start_date = activity["start_date"].as_str().unwrap();
        let whole = |field: &str| activity[field].as_i64().unwrap();
        let metres = |field: &str| decimetres(activity[field].as_f64().unwrap());
        digest.add(&Fingerprint {
            id: whole("id"),
            name: activity["name"].as_str().unwrap(),
            sport_type: activity["sport_type"].as_str().unwrap(),
            start_date: chrono::DateTime::parse_from_rfc3339(start_date).unwrap().timestamp(),
            moving_time: whole("moving_time"),
            elapsed_time: whole("elapsed_time"),
            distance_dm: metres("distance"),
            elevation_gain_dm: metres("total_elevation_gain"),
        });
    }
    digest.to_string()
}

#[tokio::test]
async fn pages_lead_to_the_empty_one_and_the_digest_agrees() {
    let world = World::new().await;
    let tokens = world.connect(2).await;
    let summary = world.control(Method::GET, "/_sim/summary?offset=2&limit=1", None).await;
    assert_eq!(summary["athletes"], 5);
    assert_eq!(summary["activities"], 350);
    assert_eq!(summary["connected"], 1);
    let row = &summary["rows"][0];
    assert_eq!(row["athlete_id"], ATHLETE_ID_BASE + 2);
    for per_page in [7, 30, 35, 70, 200] {
        let activities = world.all(&tokens, per_page).await;
        assert_eq!(activities.len(), 70);
        assert!(activities.is_sorted_by_key(|a| std::cmp::Reverse(a["id"].as_u64())));
        assert_eq!(row["digest"], digest(&activities));
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let mut bodies = Vec::new();
    for seed in [1, 1, 2] {
        let world = World::with(SimulatorConfig { seed, ..config() }).await;
        let tokens = world.connect(1).await;
        let response = world.get(&tokens, "/api/v3/athlete/activities?per_page=70").await;
        bodies.push(response.text().await.unwrap());
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_ne!(bodies[0], bodies[2]);
}

#[tokio::test]
async fn before_and_after_bound_the_list() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    let newest_first = world.all(&tokens, 200).await;
    let start = |position: usize| {
        let text = newest_first[position]["start_date"].as_str().unwrap();
        chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    };
    let ids = |activities: &[Value]| -> Vec<_> {
        activities.iter().map(|a| a["id"].as_u64().unwrap()).collect()
    };
    let path = format!("/api/v3/athlete/activities?before={}&per_page=3", start(9));
    let (_, page) = world.get_json(&tokens, &path).await;
    assert_eq!(ids(page.as_array().unwrap()), ids(&newest_first[10..13]));
    let path = format!("/api/v3/athlete/activities?after={}", start(3));
    let (_, page) = world.get_json(&tokens, &path).await;
    let mut oldest_first = ids(&newest_first[..3]);
    oldest_first.reverse();
    assert_eq!(ids(page.as_array().unwrap()), oldest_first);
}

#[tokio::test]
async fn wrong_paging_is_refused() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    let cases = [
        ("page=0", "page", "invalid"),
        ("page=one", "page", "invalid"),
        ("per_page=0", "per page", "invalid"),
        ("per_page=201", "per page", "limit exceeded"),
    ];
    for (query, field, code) in cases {
        let path = format!("/api/v3/athlete/activities?{query}");
        let (status, body) = world.get_json(&tokens, &path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(body, refusal("Bad Request", ["Application", field, code]));
    }
    let path = format!("/api/v3/athlete/activities?page={}&per_page=200", u64::MAX);
    assert_eq!(world.get_json(&tokens, &path).await, (StatusCode::OK, json!([])));
}

#[tokio::test]
async fn scopes_decide_what_is_seen() {
    let world = World::new().await;
    let summary = world.control(Method::GET, "/_sim/summary", None).await;
    let (all, shared) = (world.connect(0).await, world.connect_with(1, "activity:read").await);
    let none = world.connect_with(2, "read").await;
    assert_eq!(world.all(&all, 30).await.len(), 70);
    let visible = world.all(&shared, 30).await;
    assert_eq!(visible.len() as u64, summary["rows"][1]["shared_activities"].as_u64().unwrap());
    assert_eq!(summary["rows"][1]["shared_digest"], digest(&visible));
    assert!(visible.iter().all(|activity| activity["private"] == false));
    let (status, body) = world.get_json(&none, "/api/v3/athlete/activities").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let missing = ["AccessToken", "activity:read_permission", "missing"];
    assert_eq!(body, refusal("Authorization Error", missing));
}

#[tokio::test]
async fn single_activities_are_the_athletes_own() {
    let world = World::new().await;
    let (own, other) = (world.connect(0).await, world.connect(1).await);
    let listed = world.all(&own, 200).await;
    let path = format!("/api/v3/activities/{}", listed[0]["id"]);
    let (status, single) = world.get_json(&own, &path).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(single["resource_state"], 3);
    assert_eq!(digest(&[single]), digest(&listed[..1]));
    assert_eq!(world.get(&other, &path).await.status(), StatusCode::NOT_FOUND);
    let unknown = format!("/api/v3/activities/{}", ACTIVITY_ID_BASE + 500);
    assert_eq!(world.get(&own, &unknown).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn activities_can_be_created_changed_and_deleted() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    let edit = json!({ "name": "new", "distance": 1234.56, "sport_type": "Quidditch" });
    let created = world.change(0, "create", Value::Null, edit).await;
    let before = world.all(&tokens, 50).await;
    assert_eq!(before.len(), 71);
    assert_eq!(before[0]["id"], created["id"]);
    assert_eq!(before[0]["distance"], 1234.6);
    assert_eq!(before[0]["start_date"], "2026-01-01T00:00:00Z");
    world.change(0, "update", before[5]["id"].clone(), json!({ "name": "renamed" })).await;
    world.change(0, "delete", before[6]["id"].clone(), json!({})).await;
    let after = world.all(&tokens, 50).await;
    assert_eq!(after.len(), 70);
    assert_eq!(after[5]["name"], "renamed");
    assert_eq!(after[6]["id"], before[7]["id"]);
    let summary = world.control(Method::GET, "/_sim/summary?limit=1", None).await;
    assert_eq!(summary["activities"], 350);
    assert_eq!(summary["rows"][0]["digest"], digest(&after));
}

#[tokio::test]
async fn a_million_athletes_answer_at_once() {
    let config = SimulatorConfig { athletes: 1_000_000, ..config() };
    let world = World::with(config).await;
    let tokens = world.connect(999_999).await;
    assert_eq!(world.all(&tokens, 200).await.len(), 70);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_outcome() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    world.control(Method::DELETE, "/_sim/requests", None).await;
    world.all(&tokens, 200).await;
    world.get(&tokens, "/api/v3/nothing").await;
    let counted = world.control(Method::GET, "/_sim/requests", None).await;
    let route = "/api/v3/athlete/activities";
    let lines = json!([
        { "method": "GET", "route": route, "outcome": "200", "count": 2 },
        { "method": "GET", "route": "unmatched", "outcome": "404", "count": 1 },
    ]);
    assert_eq!(counted, json!({ "total": 3, "routes": lines }));
}
