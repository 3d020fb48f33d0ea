//! The quota's headers, its refusals, and its windows.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use strava::{RateLimits, SimulatorConfig};

use crate::world::{MIDNIGHT, World, config, refusal};

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn past_the_limit_comes_429_until_the_quarter_hour() {
    let limits = RateLimits { quarter_hour: 20, daily: 60, read_quarter_hour: 3, read_daily: 6 };
    let world = World::with(SimulatorConfig { limits, ..config() }).await;
    let tokens = world.connect(0).await;
    world.clock.set(MIDNIGHT + 899);
    for used in 1..=3 {
        let response = world.get(&tokens, "/api/v3/athlete").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "X-RateLimit-Limit"), "20,60");
        assert_eq!(header(&response, "X-RateLimit-Usage"), format!("{used},{used}"));
        assert_eq!(header(&response, "X-ReadRateLimit-Limit"), "3,6");
        assert_eq!(header(&response, "X-ReadRateLimit-Usage"), format!("{used},{used}"));
    }
    let response = world.get(&tokens, "/api/v3/athlete").await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(header(&response, "X-ReadRateLimit-Usage"), "4,4");
    assert!(response.headers().get("retry-after").is_none());
    let body: Value = response.json().await.unwrap();
    let field = ["Application", "read rate limit", "exceeded"];
    assert_eq!(body, refusal("Rate Limit Exceeded", field));

    // The window turns; the refused call counted for the day, which then runs out too.
    world.clock.set(MIDNIGHT + 900);
    for expected in [200, 200, 429] {
        assert_eq!(world.get(&tokens, "/api/v3/athlete").await.status(), expected);
    }
    world.clock.set(MIDNIGHT + 86_400);
    let tokens = world.connect(0).await;
    let response = world.get(&tokens, "/api/v3/athlete").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "X-ReadRateLimit-Usage"), "1,1");
}

#[tokio::test]
async fn the_limit_is_the_applications_and_unknown_callers_do_not_count() {
    let limits = RateLimits { read_quarter_hour: 2, ..RateLimits::default() };
    let world = World::with(SimulatorConfig { limits, ..config() }).await;
    let (one, two) = (world.connect(0).await, world.connect(1).await);
    let anonymous = world.http.get(world.url("/api/v3/athlete")).send().await.unwrap();
    assert_eq!(anonymous.status(), StatusCode::UNAUTHORIZED);
    assert!(anonymous.headers().get("x-ratelimit-usage").is_none());
    assert_eq!(world.get(&one, "/api/v3/athlete").await.status(), StatusCode::OK);
    assert_eq!(world.get(&two, "/api/v3/athlete").await.status(), StatusCode::OK);
    assert_eq!(world.get(&two, "/api/v3/athlete").await.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_429_can_be_pinned_until_a_time() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    world.faults(json!({ "rate_limited_until": MIDNIGHT + 60 })).await;
    let response = world.get(&tokens, "/api/v3/athlete").await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(header(&response, "x-ratelimit-usage"), "1,1");
    world.clock.advance(60);
    assert_eq!(world.get(&tokens, "/api/v3/athlete").await.status(), StatusCode::OK);
}
