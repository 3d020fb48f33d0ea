//! Our application as Strava knows it: identifier and secret, which may be replaced at any time.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use treaty_error::{Code, Error};
use treaty_secrets::{SecretPath, SecretStore};

use crate::config::StravaConfig;

/// Names in the secret store, as external-secrets knows them too.
const CLIENT_ID: &str = "STRAVA_CLIENT_ID";
const CLIENT_SECRET: &str = "STRAVA_CLIENT_SECRET";

/// How long what the store said is used without asking it again.
const FRESH: Duration = Duration::from_secs(60);

/// Identifier and secret of our application.
#[derive(Debug)]
pub struct Credentials {
    /// Strava's identifier.
    pub id: String,
    /// What proves that it is us.
    pub secret: SecretString,
}

impl Credentials {
    fn equals(&self, other: &Self) -> bool {
        self.id == other.id && self.secret.expose_secret() == other.secret.expose_secret()
    }
}

/// Our application at Strava. Clones share what they remember.
#[derive(Clone)]
pub struct Application(Source);

#[derive(Clone)]
enum Source {
    /// By the configuration, until the process ends.
    Given(Arc<Credentials>),
    Stored(Arc<Stored>),
}

struct Stored {
    secrets: Arc<dyn SecretStore>,
    path: SecretPath,
    known: Mutex<Known>,
}

struct Known {
    credentials: Arc<Credentials>,
    asked_at: Instant,
}

impl Application {
    /// As the configuration gives it, or else as the secret store has it.
    ///
    /// # Errors
    /// When the store fails, or does not have it.
    pub async fn open(config: &StravaConfig, secrets: Arc<dyn SecretStore>) -> Result<Self, Error> {
        if !config.client_id.is_empty() {
            return Ok(Self::given(config));
        }
        let path = SecretPath::new(config.credentials.as_str())?;
        let credentials = read(secrets.as_ref(), &path).await?;
        let known = Mutex::new(Known { credentials, asked_at: Instant::now() });
        Ok(Self(Source::Stored(Arc::new(Stored { secrets, path, known }))))
    }

    /// As the configuration gives it.
    #[must_use]
    pub fn given(config: &StravaConfig) -> Self {
        let (id, secret) = (config.client_id.clone(), config.client_secret.clone());
        Self(Source::Given(Arc::new(Credentials { id, secret })))
    }

    /// What to show to Strava. From the store it is at most a minute old; while the store fails, what
    /// it said last goes on being used, because Strava is the one who judges it.
    pub async fn credentials(&self) -> Arc<Credentials> {
        match &self.0 {
            Source::Given(credentials) => Arc::clone(credentials),
            Source::Stored(stored) => {
                let mut known = stored.known.lock().await;
                if known.asked_at.elapsed() >= FRESH {
                    stored.ask(&mut known).await;
                }
                Arc::clone(&known.credentials)
            }
        }
    }

    /// What to show instead of what Strava has refused, if the store has something else by now.
    pub async fn instead_of(&self, refused: &Credentials) -> Option<Arc<Credentials>> {
        let Source::Stored(stored) = &self.0 else { return None };
        let mut known = stored.known.lock().await;
        // Otherwise another call was refused before, and has asked.
        if known.credentials.equals(refused) {
            stored.ask(&mut known).await;
        }
        let others = !known.credentials.equals(refused);
        others.then(|| Arc::clone(&known.credentials))
    }
}

impl Stored {
    async fn ask(&self, known: &mut Known) {
        match read(self.secrets.as_ref(), &self.path).await {
            Ok(credentials) => {
                if !credentials.equals(&known.credentials) {
                    tracing::info!("the application's credentials for Strava were replaced");
                }
                known.credentials = credentials;
            }
            Err(error) => {
                tracing::warn!(%error, "the application's last known credentials are used");
            }
        }
        // A store that fails is not asked by each call either.
        known.asked_at = Instant::now();
    }
}

async fn read(secrets: &dyn SecretStore, path: &SecretPath) -> Result<Arc<Credentials>, Error> {
    let stored = secrets.read(path).await?.map(|stored| stored.secret);
    let value = |name: &str| stored.as_ref()?.get(name).cloned();
    let (Some(id), Some(secret)) = (value(CLIENT_ID), value(CLIENT_SECRET)) else {
        let message = format!("the secret store has no {CLIENT_ID} and {CLIENT_SECRET} at {path}");
        return Err(Error::new(Code::FailedPrecondition, message));
    };
    Ok(Arc::new(Credentials { id: id.expose_secret().to_owned(), secret }))
}

#[cfg(test)]
mod tests;
