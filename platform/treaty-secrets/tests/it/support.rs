//! What the tests share.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use serde_json::json;
use testbed::{BaoServer, RunDirectory, Tools};
use treaty_secrets::{Expected, Secret, SecretPath, SecretStore, SecretsError, VaultConfig};

/// A value that must never be seen in a log, an error or Debug.
pub(crate) const VALUE: &str = "hunter2-value";

/// Where the tests' policies let a service write.
pub(crate) const POLICY: &str = r#"
    path "secret/data/app/*"     { capabilities = ["create", "read", "update"] }
    path "secret/metadata/app/*" { capabilities = ["read", "delete"] }
"#;

pub(crate) struct Bao {
    pub(crate) server: BaoServer,
    _directory: RunDirectory,
}

/// A server of the test's own.
pub(crate) async fn bao() -> Bao {
    let start = || {
        let directory = RunDirectory::disposable("treaty-secrets").unwrap();
        let server = BaoServer::start(&Tools::new().unwrap(), directory.path()).unwrap();
        server.put_policy("app", POLICY).unwrap();
        Bao { server, _directory: directory }
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

/// The server of all tests that do it no harm, each with paths and tokens of its own. The directory
/// and the server's pipe end with the process.
pub(crate) async fn shared() -> &'static BaoServer {
    static SHARED: OnceLock<Bao> = OnceLock::new();
    static STARTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = STARTING.lock().await;
    if SHARED.get().is_none() {
        assert!(SHARED.set(bao().await).is_ok());
    }
    &SHARED.get().unwrap().server
}

/// A token with the tests' policy.
pub(crate) fn token(server: &BaoServer, ttl: &str) -> String {
    server.create_token(&json!({"policies": ["app"], "ttl": ttl, "no_parent": true})).unwrap()
}

pub(crate) fn config(server: &BaoServer, token: &str) -> VaultConfig {
    install_crypto();
    serde_json::from_value(json!({
        "address": server.url(), "token": token, "connect_timeout_seconds": 0,
    }))
    .unwrap()
}

/// TLS has no provider unless one is named; `treaty_service::run` does it for services.
pub(crate) fn install_crypto() {
    // A second installation is refused and the first one stays, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

pub(crate) fn path(text: &str) -> SecretPath {
    SecretPath::new(text).unwrap()
}

pub(crate) fn secret(value: &str) -> Secret {
    Secret::new().with("name", value)
}

/// Version and value of a secret.
pub(crate) async fn read(store: &dyn SecretStore, at: &SecretPath) -> Option<(u64, String)> {
    let stored = store.read(at).await.unwrap()?;
    Some((stored.version, stored.secret.get("name").unwrap().expose_secret().to_owned()))
}

/// What every store promises.
pub(crate) async fn keeps_the_promises(store: &dyn SecretStore, at: &SecretPath) {
    assert_eq!(read(store, at).await, None);
    let early = store.write(at, &secret("x"), Expected::Version(1)).await;
    assert!(matches!(early, Err(SecretsError::Conflict)), "{early:?}");
    assert_eq!(store.write(at, &secret("one"), Expected::Absent).await.unwrap(), 1);
    let again = store.write(at, &secret("x"), Expected::Absent).await;
    assert!(matches!(again, Err(SecretsError::Conflict)), "{again:?}");
    assert_eq!(store.write(at, &secret("two"), Expected::Version(1)).await.unwrap(), 2);
    let stale = store.write(at, &secret("x"), Expected::Version(1)).await;
    assert!(matches!(stale, Err(SecretsError::Conflict)), "{stale:?}");
    assert_eq!(read(store, at).await, Some((2, "two".to_owned())));
    store.delete(at).await.unwrap();
    store.delete(at).await.unwrap();
    assert_eq!(read(store, at).await, None);
    assert_eq!(store.write(at, &secret("new"), Expected::Absent).await.unwrap(), 1);
}

/// Of writers that have seen the same version one wins, and every win counts.
pub(crate) async fn count_together(stores: Vec<std::sync::Arc<dyn SecretStore>>, at: &SecretPath) {
    const WRITES: u64 = 10;
    let writers = stores.len() as u64;
    let tasks = stores.into_iter().map(|store| {
        let at = at.clone();
        tokio::spawn(async move {
            for _ in 0..WRITES {
                add_one(store.as_ref(), &at).await;
            }
            store
        })
    });
    let mut last = None;
    for task in tasks.collect::<Vec<_>>() {
        last = Some(task.await.unwrap());
    }
    let total = writers * WRITES;
    assert_eq!(read(last.unwrap().as_ref(), at).await, Some((total, total.to_string())));
}

pub(crate) async fn add_one(store: &dyn SecretStore, at: &SecretPath) {
    loop {
        let seen = store.read(at).await.unwrap();
        let count = seen.as_ref().map_or(0, |seen| {
            seen.secret.get("name").unwrap().expose_secret().parse::<u64>().unwrap()
        });
        let next = secret(&(count + 1).to_string());
        match store.write(at, &next, Expected::after(seen.as_ref())).await {
            Ok(_) => return,
            Err(SecretsError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Waits until the condition holds.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
