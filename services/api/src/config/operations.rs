//! What the api does in the name of operators.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use treaty_nats::NatsConfig;

use super::{Problem, unmet};

/// What the api does in the name of operators.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperationsConfig {
    /// An operator's user at the broker, for dead letters. Without it they are not served.
    pub nats: Option<OperatorNatsConfig>,
}

/// An operator's user at the broker, which the api's own user is not.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorNatsConfig {
    /// Addresses; those of `nats` when absent. They may hold a password.
    pub url: Option<SecretString>,
    /// The user.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// File with a user's JWT and seed.
    pub credentials_file: Option<PathBuf>,
}

/// Seconds that a call waits for the broker before it fails.
const CONNECT_TIMEOUT_SECONDS: u64 = 5;

impl OperationsConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let Some(nats) = &self.nats else { return Vec::new() };
        unmet([(
            nats.user.is_some() == nats.password.is_some(),
            "operations.nats.password",
            "user and password, both or none",
        )])
    }

    /// How the broker is reached as an operator; what is not said here is as `own` has it.
    #[must_use]
    pub fn broker(&self, own: &NatsConfig) -> Option<NatsConfig> {
        let nats = self.nats.as_ref()?;
        let url = nats.url.as_ref().map_or(own.url.as_str(), |url| url.expose_secret());
        Some(NatsConfig {
            name: Some("api-operations".to_owned()),
            user: nats.user.clone(),
            password: nats.password.clone(),
            credentials_file: nats.credentials_file.clone(),
            ca_file: own.ca_file.clone(),
            connect_timeout_seconds: CONNECT_TIMEOUT_SECONDS,
            ..NatsConfig::new(url)
        })
    }
}
