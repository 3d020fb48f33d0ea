//! Where the server is and who we are, as a service's configuration says.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::Error;

/// How to reach Temporal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporalConfig {
    /// `host:port`, or a URL with `http` or `https`.
    pub address: String,
    /// The namespace; it must exist.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// Who we are in the server's records. By default process id and host.
    #[serde(default)]
    pub identity: Option<String>,
    /// How many seconds to keep trying to reach the server at start.
    #[serde(default = "default_connect_timeout_seconds")]
    pub connect_timeout_seconds: u64,
    /// Use TLS.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
    /// The key that the server asks for; implies TLS.
    #[serde(default)]
    pub api_key: Option<SecretString>,
    /// Whether to register the contracts' search attributes at the server. Without it an
    /// operator must have done so.
    #[serde(default = "default_register_search_attributes")]
    pub register_search_attributes: bool,
}

/// TLS towards Temporal. Every part is optional: with none, the server is
/// verified by the authorities that the system trusts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the authority that signed the server's certificate.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The name to verify, where it differs from the host of the address.
    #[serde(default)]
    pub server_name: Option<String>,
    /// PEM file with our certificate; needs `key_file`.
    #[serde(default)]
    pub cert_file: Option<PathBuf>,
    /// PEM file with the key of our certificate; needs `cert_file`.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

fn default_namespace() -> String {
    "default".to_owned()
}

fn default_register_search_attributes() -> bool {
    true
}

fn default_connect_timeout_seconds() -> u64 {
    60
}

impl TemporalConfig {
    /// A plain connection to `address`, everything else by default.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            namespace: default_namespace(),
            identity: None,
            connect_timeout_seconds: default_connect_timeout_seconds(),
            tls: None,
            api_key: None,
            register_search_attributes: default_register_search_attributes(),
        }
    }

    /// How long to keep trying to reach the server at start.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds)
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn uses_tls(&self) -> bool {
        self.tls.is_some() || self.api_key.is_some() || self.address.starts_with("https://")
    }

    /// The address as a URL, with the scheme that the rest of the configuration
    /// asks for.
    pub(crate) fn url(&self) -> Result<Url, Error> {
        let wrong = |reason: String, source| Error::Config { key: "address", reason, source };
        let text = if self.address.contains("://") {
            self.address.clone()
        } else if self.uses_tls() {
            format!("https://{}", self.address)
        } else {
            format!("http://{}", self.address)
        };
        let url = Url::parse(&text)
            .map_err(|error| wrong("expected host:port or a URL".into(), Some(error.into())))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(format!("scheme {} is not http or https", url.scheme()), None));
        }
        // A key or certificate sent in clear would be a secret given away.
        if url.scheme() == "http" && self.uses_tls() {
            return Err(wrong("http:// cannot be combined with tls or api_key".into(), None));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("the host is missing".into(), None));
        }
        if url.port_or_known_default().is_none() || url.port() == Some(0) {
            return Err(wrong("the port is missing".into(), None));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: serde_json::Value) -> TemporalConfig {
        serde_json::from_value(json).expect("the configuration parses")
    }

    #[test]
    fn address_alone_is_enough() {
        let config = parse(serde_json::json!({"address": "temporal:7233"}));

        assert_eq!(config.url().unwrap().as_str(), "http://temporal:7233/");
        assert_eq!(config.namespace, "default");
        assert_eq!(config.connect_timeout(), Duration::from_secs(60));
    }

    #[test]
    fn key_implies_tls_and_stays_out_of_debug() {
        let config = parse(serde_json::json!({"address": "cloud:7233", "api_key": "hunter2"}));

        assert_eq!(config.url().unwrap().scheme(), "https");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn wrong_addresses_name_the_key() {
        for (address, key) in
            [("ftp://temporal:7233", None), ("http://", None), ("http://temporal:7233", Some("k"))]
        {
            let mut config = TemporalConfig::new(address);
            config.api_key = key.map(SecretString::from);

            let error = config.url().expect_err(address);

            assert!(error.to_string().contains("temporal.address"), "{error}");
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        let json = serde_json::json!({"address": "temporal:7233", "namspace": "x"});

        assert!(serde_json::from_value::<TemporalConfig>(json).is_err());
    }
}
