use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use treaty_secrets::{Expected, Secret, SecretsError, StoredSecret};

use super::*;

/// A store whose secret is the number of its version; without one it is away.
#[derive(Default)]
struct Store {
    version: AtomicU64,
    reads: AtomicU64,
}

#[async_trait]
impl SecretStore for Store {
    async fn read(&self, _path: &SecretPath) -> Result<Option<StoredSecret>, SecretsError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let version = self.version.load(Ordering::Relaxed);
        if version == 0 {
            return Err(SecretsError::Unavailable("gone".into()));
        }
        let secret = Secret::new().with(CLIENT_ID, "7").with(CLIENT_SECRET, version.to_string());
        Ok(Some(StoredSecret { secret, version }))
    }

    async fn write(&self, _: &SecretPath, _: &Secret, _: Expected) -> Result<u64, SecretsError> {
        unreachable!("nobody writes")
    }

    async fn delete(&self, _path: &SecretPath) -> Result<(), SecretsError> {
        unreachable!("nobody deletes")
    }
}

fn config() -> StravaConfig {
    serde_json::from_value(serde_json::json!({"redirect_url": "http://127.0.0.1/callback"}))
        .unwrap()
}

async fn secret(application: &Application) -> String {
    application.credentials().await.secret.expose_secret().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_store_is_asked_once_a_minute_and_its_failure_changes_nothing() {
    let store = Arc::new(Store::default());
    assert!(Application::open(&config(), store.clone()).await.is_err());
    store.version.store(1, Ordering::Relaxed);
    let application = Application::open(&config(), store.clone()).await.unwrap();
    store.version.store(2, Ordering::Relaxed);
    assert_eq!(secret(&application).await, "1");
    tokio::time::advance(FRESH).await;
    assert_eq!(secret(&application).await, "2");

    store.version.store(0, Ordering::Relaxed);
    tokio::time::advance(FRESH).await;
    let before = store.reads.load(Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(secret(&application.clone()).await, "2");
    }
    assert_eq!(store.reads.load(Ordering::Relaxed), before + 1);
}

#[tokio::test(start_paused = true)]
async fn what_strava_has_refused_is_replaced_at_once_if_it_can_be() {
    let store = Arc::new(Store { version: 1.into(), ..Store::default() });
    let application = Application::open(&config(), store.clone()).await.unwrap();
    let refused = application.credentials().await;
    assert!(application.instead_of(&refused).await.is_none(), "the store has the same");
    store.version.store(2, Ordering::Relaxed);
    let reads = store.reads.load(Ordering::Relaxed);
    for _ in 0..2 {
        let other = application.instead_of(&refused).await.unwrap();
        assert_eq!(other.secret.expose_secret(), "2");
    }
    assert_eq!(store.reads.load(Ordering::Relaxed), reads + 1, "the second call finds it");
}

#[tokio::test]
async fn what_the_configuration_gives_stays() {
    let given = StravaConfig { client_id: "9".into(), client_secret: "x".into(), ..config() };
    let application = Application::open(&given, Arc::new(Store::default())).await.unwrap();
    let credentials = application.credentials().await;
    assert_eq!(credentials.id, "9");
    assert!(application.instead_of(&credentials).await.is_none());
}
