//! Every fault, as a client meets it.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::World;

const ATHLETE: &str = "/api/v3/athlete";

#[tokio::test]
async fn errors_are_the_servers_and_carry_the_quota() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    world.faults(json!({ "error_rate": 1.0, "error_status": 502 })).await;
    let response = world.get(&tokens, ATHLETE).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert!(response.headers().contains_key("x-ratelimit-usage"));
    world.faults(json!({})).await;
    assert_eq!(world.get(&tokens, ATHLETE).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn faults_end_after_their_number_and_keep_to_their_routes() {
    let world = World::new().await;
    world.faults(json!({ "error_rate": 1.0, "times": 2, "routes": "oauth" })).await;
    let statuses = async {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(world.authorize(&[("sim_athlete", "0")]).await.status().as_u16());
        }
        statuses
    };
    assert_eq!(statuses.await, [503, 503, 302]);
}

#[tokio::test]
async fn the_same_seed_hits_the_same_requests() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        world.faults(json!({ "error_rate": 0.5, "seed": 7 })).await;
        let mut run = Vec::new();
        for _ in 0..20 {
            run.push(world.get(&tokens, ATHLETE).await.status().as_u16());
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&503));
}

#[tokio::test]
async fn a_malformed_body_is_complete_but_no_json() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    world.faults(json!({ "malformed_body_rate": 1.0 })).await;
    for path in ["/api/v3/athlete/activities", "/api/v3/athlete/activities?page=9"] {
        let response = world.get(&tokens, path).await;
        assert_eq!(response.status(), StatusCode::OK);
        let text = response.text().await.unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_err());
    }
}

#[tokio::test]
async fn html_comes_with_200() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    world.faults(json!({ "html_rate": 1.0 })).await;
    let response = world.get(&tokens, ATHLETE).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(response.text().await.unwrap().starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn a_dropped_connection_gives_no_answer_though_the_request_was_handled() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    world.faults(json!({ "drop_rate": 1.0, "routes": "all" })).await;
    let send = |request: reqwest::RequestBuilder| request.send();
    let get = world.http.get(world.url(ATHLETE)).bearer_auth(&tokens.access);
    assert!(send(get).await.is_err());
    let form =
        world.client_form(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)]);
    assert!(send(world.http.post(world.url("/oauth/token")).form(&form)).await.is_err());
    world.faults(json!({})).await;
    // The answer with the new refresh token is lost, and the old one is dead all the same.
    assert_eq!(world.refresh(&tokens.refresh).await.0, StatusCode::BAD_REQUEST);
    let counted = world.control(Method::GET, "/_sim/requests", None).await;
    let is_dropped = |line: &&Value| line["outcome"] == "dropped";
    assert_eq!(counted["routes"].as_array().unwrap().iter().filter(is_dropped).count(), 2);
}

#[tokio::test]
async fn a_truncated_body_ends_in_an_error() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    world.faults(json!({ "truncate_rate": 1.0 })).await;
    let response = world.get(&tokens, "/api/v3/athlete/activities").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.is_err());
}

#[tokio::test]
async fn latency_and_slow_first_bytes_delay() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    for plan in [
        json!({ "latency_ms": 150, "latency_jitter_ms": 5 }),
        json!({ "slow_first_byte_rate": 1.0, "slow_first_byte_ms": 150 }),
    ] {
        world.faults(plan).await;
        let start = Instant::now();
        assert_eq!(world.get(&tokens, ATHLETE).await.status(), StatusCode::OK);
        assert!(start.elapsed() >= Duration::from_millis(150));
    }
}

#[tokio::test]
async fn a_plan_that_makes_no_sense_is_refused() {
    let world = World::new().await;
    let plans = [
        (json!({ "drop_rate": 2.0 }), 400),
        (json!({ "drop_rate": 0.7, "html_rate": 0.7 }), 400),
        (json!({ "error_status": 200 }), 400),
        (json!({ "drop_rat": 1.0 }), 422),
    ];
    for (plan, status) in plans {
        let request = world.http.post(world.url("/_sim/faults")).json(&plan);
        assert_eq!(request.send().await.unwrap().status(), status, "{plan}");
    }
    let shown = world.control(Method::GET, "/_sim/faults", None).await;
    assert_eq!(shown["drop_rate"], 0.0);
}
