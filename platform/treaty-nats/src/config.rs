//! How to reach the server.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

/// How to reach the server. Deserialised from a service's configuration.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsConfig {
    /// `nats://host:port` or `tls://host:port`; several are separated by commas.
    pub url: String,
    /// Name of this client in the server's lists; the service name is a good one.
    pub name: Option<String>,
    /// User, together with `password`.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<SecretString>,
    /// File with a user's JWT and seed, as `nsc` writes it.
    pub credentials_file: Option<PathBuf>,
    /// File with certificates of authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Seconds until the first connection is given up.
    pub connect_timeout_seconds: u64,
}

impl NatsConfig {
    /// Everything by default but the address.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds)
    }

    /// The address without the credentials that it may hold, fit for a log.
    pub(crate) fn shown_url(&self) -> String {
        self.url.split(',').map(without_credentials).collect::<Vec<_>>().join(",")
    }
}

impl Default for NatsConfig {
    fn default() -> Self {
        Self {
            url: "nats://127.0.0.1:4222".to_owned(),
            name: None,
            user: None,
            password: None,
            credentials_file: None,
            ca_file: None,
            connect_timeout_seconds: 30,
        }
    }
}

impl fmt::Debug for NatsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsConfig")
            .field("url", &self.shown_url())
            .field("name", &self.name)
            .field("user", &self.user)
            .field("password", &self.password)
            .field("credentials_file", &self.credentials_file)
            .field("ca_file", &self.ca_file)
            .field("connect_timeout_seconds", &self.connect_timeout_seconds)
            .finish()
    }
}

fn without_credentials(address: &str) -> String {
    let (scheme, rest) = address.trim().split_once("://").unwrap_or(("nats", address.trim()));
    // A password may hold an '@' itself, so the last one ends the credentials.
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let config = NatsConfig {
            url: "nats://u:p@ss@one:4222,tls://two:4222".to_owned(),
            password: Some("hunter2".into()),
            ..NatsConfig::default()
        };
        let shown = format!("{config:?}");
        assert!(shown.contains("nats://one:4222,tls://two:4222"), "{shown}");
        assert!(!shown.contains("ss@") && !shown.contains("hunter2"), "{shown}");
    }
}
