//! Consent, tokens, rotation, expiry and deauthorization.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use strava::{ATHLETE_ID_BASE, RefreshRotation, SimulatorConfig};

use crate::world::{Tokens, World, config, refusal, returned};

#[tokio::test]
async fn an_athlete_consents_and_the_code_becomes_tokens_once() {
    let world = World::new().await;
    let page = world.authorize(&[("sim_athlete", "3")]).await;
    assert_eq!(returned(&page, "state").as_deref(), Some("a state & more"));
    assert_eq!(returned(&page, "scope").as_deref(), Some("read,activity:read_all"));
    assert_eq!(returned(&page, "from").as_deref(), Some("strava"));
    let code = returned(&page, "code").unwrap();

    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let (status, body) = world.token(&exchange).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 21_600);
    assert_eq!(body["athlete"]["id"], ATHLETE_ID_BASE + 3);
    let (status, athlete) = world.get_json(&Tokens::of(&body), "/api/v3/athlete").await;
    assert_eq!((status, &athlete), (StatusCode::OK, &body["athlete"]));

    let (status, body) = world.token(&exchange).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body, refusal("Bad Request", ["AuthorizationCode", "code", "invalid"]));
}

#[tokio::test]
async fn an_athlete_can_deny_and_untick() {
    let world = World::new().await;
    let page = world.authorize(&[("sim_deny", "1")]).await;
    assert_eq!(returned(&page, "error").as_deref(), Some("access_denied"));
    assert_eq!(returned(&page, "code"), None);
    assert_eq!(returned(&page, "state").as_deref(), Some("a state & more"));
    let page = world.authorize(&[("sim_scope", "read,activity:write")]).await;
    assert_eq!(returned(&page, "scope").as_deref(), Some("read"));
}

#[tokio::test]
async fn without_a_choice_the_next_unconnected_athlete_consents() {
    let world = World::new().await;
    world.connect(0).await;
    for expected in [1, 2] {
        let code = returned(&world.authorize(&[]).await, "code").unwrap();
        let (_, body) = world.token(&[("code", &code)]).await;
        assert_eq!(body["athlete"]["id"], ATHLETE_ID_BASE + expected);
    }
}

#[tokio::test]
async fn a_wrong_application_is_refused_where_it_stands() {
    let world = World::new().await;
    let cases = [
        (("client_id", "1"), "client_id"),
        (("redirect_uri", "https://elsewhere.example/callback"), "redirect_uri"),
        (("redirect_uri", "localhost"), "redirect_uri"),
        (("response_type", "token"), "response_type"),
        (("scope", "activity:everything"), "scope"),
    ];
    for (parameter, field) in cases {
        let response = world.authorize(&[parameter]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body, refusal("Bad Request", ["Application", field, "invalid"]));
    }
    let form =
        [("client_id", "12345"), ("client_secret", "guess"), ("grant_type", "refresh_token")];
    let response = world.http.post(world.url("/oauth/token")).form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, refusal("Authorization Error", ["Application", "", "invalid"]));
}

#[tokio::test]
async fn rotation_kills_the_old_refresh_token() {
    let world = World::new().await;
    let first = world.connect(0).await;
    let (status, body) = world.refresh(&first.refresh).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.get("athlete").is_none());
    let second = Tokens::of(&body);
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(first.access, second.access, "an access token with hours to live is given again");

    let (status, body) = world.refresh(&first.refresh).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body, refusal("Bad Request", ["RefreshToken", "refresh_token", "invalid"]));
    assert_eq!(world.refresh(&second.refresh).await.0, StatusCode::OK);
}

#[tokio::test]
async fn rotation_can_be_off() {
    let config = SimulatorConfig { refresh_rotation: RefreshRotation::Never, ..config() };
    let world = World::with(config).await;
    let tokens = world.connect(0).await;
    for _ in 0..3 {
        let (status, body) = world.refresh(&tokens.refresh).await;
        assert_eq!((status, &body["refresh_token"]), (StatusCode::OK, &json!(tokens.refresh)));
    }
}

#[tokio::test]
async fn access_tokens_expire_and_a_refresh_replaces_them() {
    let world = World::new().await;
    let old = world.connect(0).await;
    world.clock.advance(21_599);
    assert_eq!(world.get(&old, "/api/v3/athlete").await.status(), StatusCode::OK);
    world.clock.advance(1);
    let (status, body) = world.get_json(&old, "/api/v3/athlete").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body, refusal("Authorization Error", ["Athlete", "access_token", "invalid"]));
    let new = Tokens::of(&world.refresh(&old.refresh).await.1);
    assert_eq!(world.get(&new, "/api/v3/athlete").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn tokens_can_be_made_to_expire() {
    let world = World::new().await;
    let (one, two) = (world.connect(0).await, world.connect(1).await);
    let body = json!({ "athlete_id": ATHLETE_ID_BASE });
    let answer = world.control(Method::POST, "/_sim/expire-tokens", Some(body)).await;
    assert_eq!(answer, json!({ "expired": 1 }));
    assert_eq!(world.get(&one, "/api/v3/athlete").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(world.get(&two, "/api/v3/athlete").await.status(), StatusCode::OK);
    world.control(Method::POST, "/_sim/expire-tokens", None).await;
    assert_eq!(world.get(&two, "/api/v3/athlete").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn deauthorization_ends_all_tokens() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    let request = world.http.post(world.url("/oauth/deauthorize"));
    let response = request.form(&[("access_token", &tokens.access)]).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({ "access_token": tokens.access }));
    assert_eq!(world.get(&tokens, "/api/v3/athlete").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(world.refresh(&tokens.refresh).await.0, StatusCode::BAD_REQUEST);
}
