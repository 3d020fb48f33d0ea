//! A token that is kept fresh.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use vaultrs::client::VaultClient;

use super::fault::{Fault, call};
use super::login::{Lease, Login, can_be_repeated, login};
use crate::{SecretsError, VaultConfig};

/// Wait after the first of several failures to reach Vault; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest wait of a start.
const START_PAUSE: Duration = Duration::from_secs(2);
/// Longest wait of a renewal, which has a third of the token's time.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// Who we are to Vault. A token is renewed when two thirds of its time are over; one that cannot be
/// renewed any more is replaced by another login, where the configuration allows one.
pub(super) struct Session {
    shared: Arc<Shared>,
    renewal: JoinHandle<()>,
}

struct Shared {
    config: VaultConfig,
    current: RwLock<Login>,
    /// Lets one caller log in at a time.
    logins: tokio::sync::Mutex<()>,
    /// Tells the renewal that there is another token.
    replaced: Notify,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl Session {
    /// Logs in, and waits for Vault as long as the configuration says.
    pub(super) async fn begin(config: &VaultConfig) -> Result<Self, SecretsError> {
        let first = first_login(config).await?;
        let renewable = first.lease.is_none_or(|lease| lease.renewable);
        if !renewable && !can_be_repeated(config) {
            tracing::warn!("Vault's token cannot be renewed: when it ends, nothing can be read");
        }
        let shared = Arc::new(Shared {
            config: config.clone(),
            current: RwLock::new(first),
            logins: tokio::sync::Mutex::default(),
            replaced: Notify::new(),
        });
        let renewal = tokio::spawn(keep_fresh(Arc::clone(&shared)));
        Ok(Self { shared, renewal })
    }

    /// Makes a call. When Vault does not know our token any more, it is made once more with another.
    pub(super) async fn call<T, F>(&self, make: impl Fn(Arc<VaultClient>) -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let client = self.shared.current().client;
        match make(Arc::clone(&client)).await {
            Err(Fault::Forbidden) if has_ended(&client).await => {
                let next = self.shared.replace(&client).await.map_err(Fault::Other)?;
                make(next).await
            }
            outcome => outcome,
        }
    }
}

/// Vault answers the same to a token that has ended and to one whose policies do not allow the call;
/// what every token may do tells them apart.
async fn has_ended(client: &VaultClient) -> bool {
    matches!(call(vaultrs::token::lookup_self(client)).await, Err(Fault::Forbidden))
}

impl Shared {
    fn current(&self) -> Login {
        // Nothing that could panic is done under this lock.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, login: Login) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = login;
        self.replaced.notify_one();
    }

    /// Another token in place of one that ends, unless somebody has replaced it already.
    async fn replace(&self, ending: &Arc<VaultClient>) -> Result<Arc<VaultClient>, SecretsError> {
        let _turn = self.logins.lock().await;
        let current = self.current().client;
        if !Arc::ptr_eq(&current, ending) {
            return Ok(current);
        }
        if !can_be_repeated(&self.config) {
            return Err(SecretsError::Login("the token has ended or was revoked".to_owned()));
        }
        let next = login(&self.config).await?;
        let client = Arc::clone(&next.client);
        self.set(next);
        tracing::debug!("logged in to Vault again");
        Ok(client)
    }

    /// Renews the token, or replaces it.
    async fn refresh(&self, client: &Arc<VaultClient>, lease: Lease) -> Result<(), SecretsError> {
        if lease.renewable {
            let since = Instant::now();
            match call(vaultrs::token::renew_self(client.as_ref(), None)).await {
                Ok(auth) => {
                    let renewed = Lease::new(since, auth.lease_duration, auth.renewable);
                    let is_better_replaced = renewed.is_none_or(|new| new.is_short_beside(lease));
                    if !is_better_replaced || !can_be_repeated(&self.config) && renewed.is_some() {
                        self.set(Login { client: Arc::clone(client), lease: renewed });
                        return Ok(());
                    }
                }
                Err(Fault::Forbidden) => {}
                Err(fault) => return Err(fault.unexpected("renewing", "auth/token/renew-self")),
            }
        }
        self.replace(client).await.map(drop)
    }
}

async fn first_login(config: &VaultConfig) -> Result<Login, SecretsError> {
    let patience = Duration::from_secs(config.connect_timeout_seconds);
    let (start, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match login(config).await {
            Err(error @ (SecretsError::Sealed | SecretsError::Unavailable(_)))
                if start.elapsed() < patience =>
            {
                tracing::warn!(%error, "waiting for Vault");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(START_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Renews for as long as the session lasts.
async fn keep_fresh(shared: Arc<Shared>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Login { client, lease } = shared.current();
        let Some(lease) = lease else {
            shared.replaced.notified().await;
            continue;
        };
        tokio::select! {
            () = tokio::time::sleep_until(lease.due().into()) => {}
            () = shared.replaced.notified() => continue,
        }
        match shared.refresh(&client, lease).await {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) => {
                tracing::warn!(%error, "Vault's token cannot be renewed just now");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RENEWAL_PAUSE);
            }
        }
    }
}
