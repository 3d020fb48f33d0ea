use std::sync::Arc;

use serde_json::{Value, json};
use testbed::BaoServer;
use treaty_error::{Code, Error};
use treaty_secrets::{Expected, SecretStore, SecretsError, VaultConfig, VaultStore};

use crate::captured::Captured;
use crate::support::{
    VALUE, bao, config, count_together, eventually, keeps_the_promises, path, read, secret, shared,
    token,
};

async fn store(server: &BaoServer, token: &str) -> VaultStore {
    VaultStore::connect(&config(server, token)).await.unwrap()
}

#[tokio::test]
async fn the_newest_version_is_read_and_another_is_never_overwritten() {
    let server = shared().await;
    let store = store(server, &token(server, "1h")).await;
    keeps_the_promises(&store, &path("app/promises")).await;
}

#[tokio::test]
async fn writers_at_the_same_time_lose_nothing() {
    let server = shared().await;
    let mut stores: Vec<Arc<dyn SecretStore>> = Vec::new();
    for _ in 0..3 {
        stores.push(Arc::new(store(server, &token(server, "1h")).await));
    }
    count_together(stores, &path("app/counted")).await;
}

#[tokio::test]
async fn what_an_operator_wrote_or_deleted_is_understood() {
    let server = shared().await;
    let store = store(server, &token(server, "1h")).await;
    server.put("app/by-hand", &json!({"name": 12345})).unwrap();
    let at = path("app/by-hand");
    assert_eq!(read(&store, &at).await, Some((1, "12345".to_owned())));
    // What `vault kv delete` does: the version stays behind.
    server.administer("DELETE", "secret/data/app/by-hand", &Value::Null).unwrap();
    assert_eq!(read(&store, &at).await, None);
    assert_eq!(store.write(&at, &secret("new"), Expected::Absent).await.unwrap(), 2);
    server.put("app/by-hand", &json!({"name": {"deep": true}})).unwrap();
    let malformed = store.read(&at).await;
    assert!(matches!(malformed, Err(SecretsError::Malformed { .. })), "{malformed:?}");
}

#[tokio::test]
async fn a_policy_that_does_not_let_us_is_named() {
    let server = shared().await;
    let store = store(server, &token(server, "1h")).await;
    let refused = store.read(&path("other/secret")).await.unwrap_err();
    assert!(!refused.is_transient());
    assert_eq!(refused.to_string(), "Vault does not permit reading of other/secret");
    let refused = store.write(&path("other"), &secret(VALUE), Expected::Absent).await.unwrap_err();
    assert_eq!(refused.to_string(), "Vault does not permit writing of other");
}

#[tokio::test]
async fn a_root_token_is_refused_outside_of_development() {
    let server = shared().await;
    let mut config = config(server, server.root_token());
    let refused = VaultStore::connect(&config).await.err().unwrap();
    assert!(matches!(refused, SecretsError::RootToken), "{refused}");
    config.development = true;
    assert!(VaultStore::connect(&config).await.is_ok());
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_its_end_is_told() {
    let server = shared().await;
    let token = token(server, "2s");
    let store = store(server, &token).await;
    let look = || {
        let (status, known) = server
            .call("POST", "auth/token/lookup", server.root_token(), &json!({"token": token}))
            .unwrap();
        (status, known["data"].clone())
    };
    let first = look().1["expire_time"].clone();
    // It has outlived its time twice over when it was renewed for the second time.
    let mut renewals = std::collections::BTreeSet::new();
    eventually("the token was renewed three times", async || {
        renewals.insert(look().1["expire_time"].to_string());
        renewals.len() > 3
    })
    .await;
    assert!(look().1["expire_time"].as_str() > first.as_str());
    assert!(store.read(&path("app/none")).await.unwrap().is_none());

    server.administer("POST", "auth/token/revoke", &json!({"token": token})).unwrap();
    let ended = store.read(&path("app/none")).await.unwrap_err();
    assert!(matches!(ended, SecretsError::Login(_)), "{ended}");
    assert_eq!(Error::from(ended).code(), Code::Unavailable);
}

#[tokio::test]
async fn another_token_in_the_file_takes_the_place_of_one_that_ended() {
    let server = shared().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let first = token(server, "1h");
    std::fs::write(file.path(), format!("{first}\n")).unwrap();
    let config =
        VaultConfig { token: None, token_file: Some(file.path().into()), ..config(server, "") };
    let store = VaultStore::connect(&config).await.unwrap();
    server.administer("POST", "auth/token/revoke", &json!({"token": first})).unwrap();
    let ended = store.read(&path("app/none")).await.unwrap_err();
    assert!(matches!(ended, SecretsError::Login(_)), "{ended}");
    std::fs::write(file.path(), token(server, "1h")).unwrap();
    assert!(store.read(&path("app/none")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_sealed_and_an_absent_vault_are_told_apart_and_come_back() {
    let mut bao = bao().await;
    let token = token(&bao.server, "1h");
    let config = config(&bao.server, &token);
    let store = VaultStore::connect(&config).await.unwrap();
    let at = path("app/kept");
    store.write(&at, &secret("kept"), Expected::Absent).await.unwrap();

    bao.server.seal().unwrap();
    let sealed = store.read(&at).await.unwrap_err();
    assert!(matches!(sealed, SecretsError::Sealed) && sealed.is_transient(), "{sealed}");
    let begun = VaultStore::connect(&config).await.err().unwrap();
    assert!(matches!(begun, SecretsError::Sealed), "{begun}");
    bao.server.unseal().unwrap();
    assert_eq!(read(&store, &at).await, Some((1, "kept".to_owned())));

    bao.server.crash().unwrap();
    let absent = store.read(&at).await.unwrap_err();
    assert!(matches!(absent, SecretsError::Unavailable(_)), "{absent}");
    assert_eq!(Error::from(absent).code(), Code::Unavailable);
    // Who starts meanwhile waits.
    let patient = VaultConfig { connect_timeout_seconds: 60, ..config };
    let starting = tokio::spawn(async move { VaultStore::connect(&patient).await });
    bao.server.start_again().unwrap();
    assert!(starting.await.unwrap().is_ok());
    assert_eq!(read(&store, &at).await, Some((1, "kept".to_owned())));
}

/// The runtime of this test has one thread, so that all that is logged is captured.
#[tokio::test]
async fn no_secret_is_in_a_log_an_error_or_debug() {
    let server = shared().await;
    let captured = Captured::default();
    let guard = captured.start();
    let token = token(server, "2s");
    let config = config(server, &token);
    let mut seen = format!("{config:?}");
    let store = VaultStore::connect(&config).await.unwrap();
    let at = path("app/quiet");
    store.write(&at, &secret(VALUE), Expected::Absent).await.unwrap();
    seen.push_str(&format!("{:?}", store.read(&at).await.unwrap()));
    let mut failures = vec![
        store.write(&at, &secret(VALUE), Expected::Absent).await.unwrap_err(),
        store.write(&path("denied"), &secret(VALUE), Expected::Absent).await.unwrap_err(),
        VaultStore::connect(&VaultConfig {
            development: false,
            token: Some(server.root_token().into()),
            ..config
        })
        .await
        .err()
        .unwrap(),
    ];
    server.put("app/quiet", &json!({"name": {VALUE: true}})).unwrap();
    failures.push(store.read(&at).await.unwrap_err());
    server.administer("POST", "auth/token/revoke", &json!({"token": token})).unwrap();
    failures.push(store.read(&at).await.unwrap_err());
    eventually("the failed renewal was logged", async || {
        captured.text().contains("cannot be renewed just now")
    })
    .await;
    for failure in failures {
        seen.push_str(&format!("{failure:?} {failure}"));
        let error = Error::from(failure);
        seen.push_str(&format!("{error:?} {}", error.chain()));
    }
    drop(guard);
    let log = captured.text();
    assert!(!log.contains("ERROR"), "an error is logged by who handles it: {log}");
    seen.push_str(&log);
    for secret in [VALUE, &token, server.root_token()] {
        assert!(!seen.contains(secret), "{seen}");
    }
}
