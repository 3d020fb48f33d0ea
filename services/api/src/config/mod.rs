//! What can be set. Every key can be given in a file or in the environment: `database.url` is
//! `API__DATABASE__URL` there.

mod database;
mod listen;
mod operations;
mod quota;
mod strava;
mod webhooks;
mod work;

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use treaty_nats::NatsConfig;
use treaty_rpc::{AuthConfig, MIN_TOKEN_BYTES};
use treaty_secrets::SecretsConfig;
use treaty_service::{
    ConfigError, LogConfig, MetricsConfig, ServiceConfig, TracesConfig, Validate,
};

pub use self::database::DatabaseConfig;
pub use self::listen::{GrpcConfig, HttpConfig};
pub use self::operations::{OperationsConfig, OperatorNatsConfig};
pub use self::quota::QuotaConfig;
pub use self::strava::StravaConfig;
pub use self::webhooks::WebhooksConfig;
pub use self::work::{OutboxConfig, SyncConfig};
use crate::connections::ConnectionsSettings;

/// A key whose value cannot work, and what is expected of it.
pub type Problem = (&'static str, &'static str);

/// The keys of the demands that are not met.
fn unmet(demands: impl IntoIterator<Item = (bool, &'static str, &'static str)>) -> Vec<Problem> {
    let unmet = demands.into_iter().filter(|(met, _, _)| !met);
    unmet.map(|(_, key, expected)| (key, expected)).collect()
}

fn valid(problems: &[Problem]) -> Result<(), ConfigError> {
    match problems.first() {
        None => Ok(()),
        Some((key, expected)) => Err(ConfigError::invalid(*key, format!("expected {expected}"))),
    }
}

/// Configuration of the api.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP and JSON side.
    #[serde(default)]
    pub http: HttpConfig,
    /// The gRPC side.
    #[serde(default)]
    pub grpc: GrpcConfig,
    /// Postgres.
    pub database: DatabaseConfig,
    /// Whether to bring the schema up to date before serving. Otherwise `api migrate` does it.
    #[serde(default)]
    pub migrate_on_start: bool,
    /// NATS.
    #[serde(default)]
    pub nats: NatsConfig,
    /// What it does in the name of operators.
    #[serde(default)]
    pub operations: OperationsConfig,
    /// Where secrets are kept.
    #[serde(default)]
    pub secrets: SecretsConfig,
    /// Strava.
    pub strava: StravaConfig,
    /// Strava's webhook; without it there is no callback.
    #[serde(default)]
    pub webhooks: Option<WebhooksConfig>,
    /// Strava's quota, shared by all processes.
    #[serde(default)]
    pub quota: QuotaConfig,
    /// Tokens by which other services prove themselves.
    pub callers: CallersConfig,
    /// Token by which operators prove themselves.
    pub operator_token: SecretString,
    /// The relay of the outbox.
    #[serde(default)]
    pub outbox: OutboxConfig,
    /// Syncs.
    #[serde(default)]
    pub sync: SyncConfig,
    /// Where `/metrics` answers.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// Where traces go.
    #[serde(default)]
    pub traces: TracesConfig,
    /// The log.
    #[serde(default)]
    pub log: LogConfig,
    /// Seconds that a shutdown waits for requests and messages in work.
    #[serde(default = "Config::default_shutdown_grace_seconds")]
    pub shutdown_grace_seconds: u64,
}

/// The part of the configuration that `api migrate` reads; the rest may be there or not.
#[derive(Clone, Debug, Deserialize)]
pub struct MigrateConfig {
    /// Postgres.
    pub database: DatabaseConfig,
    /// The log.
    #[serde(default)]
    pub log: LogConfig,
}

impl Validate for MigrateConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// The part of the configuration that `api secrets` reads; the rest may be there or not.
#[derive(Clone, Debug, Deserialize)]
pub struct SecretsVerbConfig {
    /// Where secrets are kept.
    #[serde(default)]
    pub secrets: SecretsConfig,
}

impl Validate for SecretsVerbConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        valid(&self.secrets.problems())
    }
}

/// Tokens by which other services prove themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallersConfig {
    /// Token of the consumer.
    pub consumer: SecretString,
    /// Token of the worker.
    pub worker: SecretString,
}

impl Validate for Config {
    fn validate(&self) -> Result<(), ConfigError> {
        valid(&self.problems())
    }
}

impl ServiceConfig for Config {
    fn log(&self) -> &LogConfig {
        &self.log
    }

    fn traces(&self) -> &TracesConfig {
        &self.traces
    }

    fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }
}

impl Config {
    fn default_shutdown_grace_seconds() -> u64 {
        30
    }

    /// Keys whose values cannot work, each with what is expected. Types and missing keys are
    /// checked before.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let sections = [
            self.http.problems(),
            self.database.problems(),
            self.secrets.problems(),
            self.strava.problems(),
            self.webhooks.as_ref().map(WebhooksConfig::problems).unwrap_or_default(),
            self.token_problems(),
            self.operations.problems(),
            self.outbox.problems(),
            self.sync.problems(),
            self.quota.problems(),
        ];
        sections.concat()
    }

    fn token_problems(&self) -> Vec<Problem> {
        let tokens = [
            ("callers.consumer", &self.callers.consumer),
            ("callers.worker", &self.callers.worker),
            ("operator_token", &self.operator_token),
        ];
        let demands = tokens.iter().enumerate().flat_map(|(index, (key, token))| {
            let text = token.expose_secret();
            let shared = tokens.iter().take(index).any(|(_, other)| other.expose_secret() == text);
            [
                (text.len() >= MIN_TOKEN_BYTES, *key, "at least 16 bytes"),
                (!shared, *key, "a token of its own, equal to no other's"),
            ]
        });
        unmet(demands)
    }

    /// What proves callers.
    #[must_use]
    pub fn auth(&self) -> AuthConfig {
        AuthConfig {
            deployables: BTreeMap::from([
                ("consumer".to_owned(), self.callers.consumer.clone()),
                ("worker".to_owned(), self.callers.worker.clone()),
            ]),
            operator: Some(self.operator_token.clone()),
        }
    }

    /// What the rules about connections need.
    #[must_use]
    pub fn connections(&self) -> ConnectionsSettings {
        let quarter = self.database.max_connections / DatabaseConfig::LEAST_CONNECTIONS;
        ConnectionsSettings {
            consent_lifetime: Duration::from_secs(self.strava.consent_lifetime_seconds),
            least_lifetime: Duration::from_secs(self.strava.least_lifetime_seconds),
            concurrent_refreshes: usize::try_from(quarter).unwrap_or(1),
        }
    }
}

#[cfg(test)]
mod tests;
