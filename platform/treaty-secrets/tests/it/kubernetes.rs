use std::path::Path;

use serde_json::{Value, json};
use testbed::BaoServer;
use treaty_secrets::{Expected, SecretStore as _, SecretsError, VaultConfig, VaultStore};

use crate::account::{TokenReviewer, account_token};
use crate::support::{config, eventually, path, read, secret, shared};

/// A mount of the test's own, with a role for the account `api`.
async fn mount(name: &str, token_ttl: &str) -> (&'static BaoServer, TokenReviewer) {
    let (server, reviewer) = (shared().await, TokenReviewer::start().await);
    let admin = |path: &str, body: Value| server.administer("POST", path, &body).unwrap();
    admin(&format!("sys/auth/{name}"), json!({"type": "kubernetes"}));
    admin(
        &format!("auth/{name}/config"),
        json!({
            "kubernetes_host": format!("http://{}", reviewer.address),
            "token_reviewer_jwt": account_token("vault", 0),
            // It must be given, and is not looked at: the stand-in speaks no TLS.
            "kubernetes_ca_cert": include_str!("unused-ca.pem"),
            "disable_local_ca_jwt": true,
            "disable_iss_validation": true,
        }),
    );
    admin(
        &format!("auth/{name}/role/api"),
        json!({
            "bound_service_account_names": ["api"],
            "bound_service_account_namespaces": ["stravasync"],
            "audience": "vault",
            "token_policies": ["app"],
            "token_ttl": token_ttl,
            "token_max_ttl": token_ttl,
        }),
    );
    (server, reviewer)
}

fn account(server: &BaoServer, mount: &str, file: &Path) -> VaultConfig {
    let kubernetes = json!({"role": "api", "mount": mount, "token_file": file});
    VaultConfig {
        token: None,
        kubernetes: Some(serde_json::from_value(kubernetes).unwrap()),
        ..config(server, "")
    }
}

#[tokio::test]
async fn an_account_logs_in_and_a_stranger_does_not() {
    let (server, _reviewer) = mount("k8s-login", "1h").await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let config = account(server, "k8s-login", file.path());
    for name in ["stranger", "consumer"] {
        std::fs::write(file.path(), account_token(name, 1)).unwrap();
        let refused = VaultStore::connect(&config).await.err().unwrap();
        assert!(matches!(refused, SecretsError::Login(_)), "{name}: {refused}");
    }
    std::fs::write(file.path(), account_token("api", 1)).unwrap();
    let store = VaultStore::connect(&config).await.unwrap();
    let at = path("app/kubernetes");
    store.write(&at, &secret("x"), Expected::Absent).await.unwrap();
    assert_eq!(read(&store, &at).await, Some((1, "x".to_owned())));
}

#[tokio::test]
async fn a_token_at_its_greatest_life_is_replaced_by_a_login_with_the_newest_account_token() {
    let (server, reviewer) = mount("k8s-again", "2s").await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), account_token("api", 1)).unwrap();
    let store = VaultStore::connect(&account(server, "k8s-again", file.path())).await.unwrap();
    assert_eq!(reviewer.reviews(), 1);
    // Kubernetes replaces the file; what it held before would be refused now.
    std::fs::write(file.path(), account_token("api", 2)).unwrap();
    eventually("it has logged in three times more", async || reviewer.reviews() > 3).await;
    assert!(store.read(&path("app/none")).await.unwrap().is_none());

    std::fs::write(file.path(), account_token("stranger", 3)).unwrap();
    eventually("the end of the last token is told", async || {
        matches!(store.read(&path("app/none")).await, Err(SecretsError::Login(_)))
    })
    .await;
    std::fs::write(file.path(), account_token("api", 4)).unwrap();
    assert!(store.read(&path("app/none")).await.unwrap().is_none(), "a call logs in by itself");
}
