use super::*;

fn config() -> serde_json::Value {
    serde_json::json!({
        "database": {"url": "postgres://u:hunter2@h/d"},
        "secrets": {"vault": {"address": "https://vault.example", "token": "hunter2"}},
        "strava": {
            "client_id": "1", "client_secret": "hunter2",
            "redirect_url": "https://example.org/v1/strava/callback",
        },
        "callers": {"consumer": "hunter2-consumer-token", "worker": "hunter2-worker-token"},
        "operator_token": "hunter2-operator-token",
    })
}

#[test]
fn the_least_configuration_is_complete_and_shows_no_secret() {
    let config: Config = serde_json::from_value(config()).unwrap();
    assert_eq!(config.problems(), []);
    assert_eq!(config.http.listen.port(), 8080);
    assert_eq!(config.grpc.listen.port(), 9233);
    assert_eq!(config.strava.oauth_base_url.as_str(), "https://www.strava.com/");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn keys_that_cannot_work_are_named() {
    let mut value = config();
    value["database"]["max_connections"] = 1.into();
    value["strava"]["redirect_url"] = "mailto:ada@example.org".into();
    value["secrets"]["file"] = serde_json::json!({"directory": "/secrets"});
    value["strava"]["client_secret"] = "".into();
    let config: Config = serde_json::from_value(value).unwrap();
    let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
    let expected =
        ["database.max_connections", "secrets", "strava.redirect_url", "strava.client_id"];
    assert_eq!(keys, expected);
}

#[test]
fn a_quota_that_cannot_work_is_named() {
    for (quota, key) in [
        (serde_json::json!({"reserve_percent": 91}), "quota.reserve_percent"),
        (serde_json::json!({"window_seconds": 4}), "quota.margin_milliseconds"),
        (serde_json::json!({"day_seconds": 1000}), "quota.day_seconds"),
    ] {
        let mut value = config();
        value["quota"] = quota;
        let config: Config = serde_json::from_value(value).unwrap();
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [key]);
    }
}

#[test]
fn tokens_that_can_be_guessed_or_are_shared_are_named() {
    let mut value = config();
    value["callers"]["worker"] = "short".into();
    value["operator_token"] = value["callers"]["consumer"].clone();
    let config: Config = serde_json::from_value(value).unwrap();
    let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["callers.worker", "operator_token"]);
}

#[test]
fn unknown_and_missing_keys_are_refused() {
    let mut value = config();
    value["http"] = serde_json::json!({"lisen": "0.0.0.0:1"});
    assert!(serde_json::from_value::<Config>(value).unwrap_err().to_string().contains("lisen"));
    let mut value = config();
    value.as_object_mut().unwrap().remove("operator_token");
    let error = serde_json::from_value::<Config>(value).unwrap_err().to_string();
    assert!(error.contains("operator_token"), "{error}");
}

#[test]
fn a_webhook_whose_secrets_can_be_guessed_is_named_and_shows_none() {
    let mut value = config();
    value["webhooks"] = serde_json::json!({
        "path_secret": "hunter2-hunter2-hunter2", "verify_token": "hunter2-verify-token",
        "public_url": "https://example.org/strava/",
    });
    let valid: Config = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(valid.problems(), []);
    assert!(!format!("{valid:?}").contains("hunter2"));
    let callback = valid.webhooks.unwrap().callback_url().unwrap();
    let expected = "https://example.org/strava/v1/strava/webhook/hunter2-hunter2-hunter2";
    assert_eq!(callback.as_str(), expected);
    for (key, wrong) in [
        ("path_secret", "short"),
        ("path_secret", "a-path/with-a-slash"),
        ("verify_token", "short"),
        ("public_url", "mailto:ada@example.org"),
    ] {
        let mut value = value.clone();
        value["webhooks"][key] = wrong.into();
        let config: Config = serde_json::from_value(value).unwrap();
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [format!("webhooks.{key}")]);
    }
}

#[test]
fn an_operator_at_the_broker_is_optional_and_shares_its_address() {
    let of = |operations: serde_json::Value| {
        let mut value = config();
        value["nats"] = serde_json::json!({"url": "nats://broker:4222"});
        value["operations"] = operations;
        serde_json::from_value::<Config>(value).unwrap()
    };
    let without = of(serde_json::json!({}));
    assert!(without.operations.broker(&without.nats).is_none());
    let with = of(serde_json::json!({"nats": {"user": "operations", "password": "hunter2"}}));
    assert_eq!(with.problems(), []);
    let broker = with.operations.broker(&with.nats).unwrap();
    assert_eq!(
        (broker.url.as_str(), broker.user.as_deref()),
        ("nats://broker:4222", Some("operations"))
    );
    assert!(!format!("{with:?}").contains("hunter2"));
    let half = of(serde_json::json!({"nats": {"user": "operations"}}));
    assert_eq!(half.problems()[0].0, "operations.nats.password");
}
