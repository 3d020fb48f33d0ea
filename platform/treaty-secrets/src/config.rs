//! Which store, and how to reach it.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

/// A key whose value cannot work, and what is expected of it.
pub type Problem = (&'static str, &'static str);

/// Which store: one of the two.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsConfig {
    /// Encrypted files.
    pub file: Option<FileConfig>,
    /// Vault's API.
    pub vault: Option<VaultConfig>,
}

/// Encrypted files, for a laptop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// Directory of the files; made when it is absent.
    pub directory: PathBuf,
    /// The key, which is made at the first use; `key` in the directory when absent.
    pub key_file: Option<PathBuf>,
}

/// Vault, or another server of its API such as OpenBao.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// The server's address.
    pub address: Url,
    /// Where version 2 of the key-value engine is mounted.
    #[serde(default = "VaultConfig::default_mount")]
    pub mount: String,
    /// Namespace, of servers that have them.
    pub namespace: Option<String>,
    /// PEM file of authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// A token.
    pub token: Option<SecretString>,
    /// A file with a token that somebody else renews, such as Vault's agent; read anew when it ends.
    pub token_file: Option<PathBuf>,
    /// The account of a pod.
    pub kubernetes: Option<KubernetesConfig>,
    /// A Vault that holds nothing of worth: a root token and an unencrypted connection will do.
    #[serde(default)]
    pub development: bool,
    /// Seconds that a call may take.
    #[serde(default = "VaultConfig::default_timeout_seconds")]
    pub timeout_seconds: u64,
    /// Seconds that a start waits for the server, and for its being unsealed.
    #[serde(default = "VaultConfig::default_connect_timeout_seconds")]
    pub connect_timeout_seconds: u64,
}

/// How a pod proves itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubernetesConfig {
    /// Vault's role for the account.
    pub role: String,
    /// Where the method is mounted.
    #[serde(default = "KubernetesConfig::default_mount")]
    pub mount: String,
    /// The account's token, which Kubernetes replaces: it is read at each login.
    #[serde(default = "KubernetesConfig::default_token_file")]
    pub token_file: PathBuf,
}

impl SecretsConfig {
    /// Keys whose values cannot work, each with what is expected.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        match (&self.file, &self.vault) {
            (Some(_), None) => Vec::new(),
            (None, Some(vault)) => vault.problems(),
            _ => vec![("secrets", "either secrets.file.directory or secrets.vault.address")],
        }
    }
}

impl FileConfig {
    /// Where the key is.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| self.directory.join("key"))
    }
}

impl VaultConfig {
    fn problems(&self) -> Vec<Problem> {
        let proofs = [self.token.is_some(), self.token_file.is_some(), self.kubernetes.is_some()];
        let token = self.token.as_ref().map(|token| token.expose_secret());
        let demands = [
            (
                self.is_private(),
                "secrets.vault.address",
                "https, http to this machine, or development",
            ),
            (is_path(&self.mount), "secrets.vault.mount", "a path without / at its ends"),
            (
                proofs.iter().filter(|given| **given).count() == 1,
                "secrets.vault",
                "one of token, token_file and kubernetes.role",
            ),
            (token.is_none_or(is_header), "secrets.vault.token", "visible characters"),
            (self.timeout_seconds > 0, "secrets.vault.timeout_seconds", "at least 1"),
            (
                self.kubernetes.as_ref().is_none_or(|kubernetes| is_path(&kubernetes.mount)),
                "secrets.vault.kubernetes.mount",
                "a path without / at its ends",
            ),
        ];
        demands.into_iter().filter(|(met, ..)| !met).map(|(_, key, what)| (key, what)).collect()
    }

    /// Whether nobody on the way can read along.
    fn is_private(&self) -> bool {
        let loopback = match self.address.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => return false,
        };
        match self.address.scheme() {
            "https" => true,
            "http" => loopback || self.development,
            _ => false,
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    fn default_mount() -> String {
        "secret".to_owned()
    }

    fn default_timeout_seconds() -> u64 {
        5
    }

    fn default_connect_timeout_seconds() -> u64 {
        30
    }
}

impl KubernetesConfig {
    fn default_mount() -> String {
        "kubernetes".to_owned()
    }

    fn default_token_file() -> PathBuf {
        "/var/run/secrets/kubernetes.io/serviceaccount/token".into()
    }
}

fn is_path(text: &str) -> bool {
    crate::SecretPath::new(text).is_ok()
}

/// Whether a text can be sent in a header.
pub(crate) fn is_header(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(value: serde_json::Value) -> Vec<&'static str> {
        let config: SecretsConfig = serde_json::from_value(value).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        config.problems().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn there_is_one_store_with_one_proof() {
        use serde_json::json;

        let vault = |more: serde_json::Value| {
            let mut vault = json!({"address": "https://vault.example", "token": "hunter2"});
            for (key, value) in more.as_object().unwrap() {
                vault[key] = value.clone();
            }
            problems(json!({"vault": vault}))
        };
        assert_eq!(problems(json!({"file": {"directory": "/x"}})), [""; 0]);
        assert_eq!(problems(json!({})), ["secrets"]);
        assert_eq!(vault(json!({})), [""; 0]);
        assert_eq!(vault(json!({"token_file": "/x"})), ["secrets.vault"]);
        assert_eq!(vault(json!({"token": null})), ["secrets.vault"]);
        assert_eq!(vault(json!({"token": null, "kubernetes": {"role": "api"}})), [""; 0]);
        assert_eq!(vault(json!({"token": "hunter2\n"})), ["secrets.vault.token"]);
        assert_eq!(vault(json!({"address": "http://vault.example"})), ["secrets.vault.address"]);
        assert_eq!(vault(json!({"address": "http://127.0.0.1:8200"})), [""; 0]);
        let open = json!({"address": "http://vault.example", "development": true});
        assert_eq!(vault(open), [""; 0]);
        assert_eq!(vault(json!({"mount": "/secret"})), ["secrets.vault.mount"]);
        let both = json!({"file": {"directory": "/x"}, "vault": {"address": "https://v", "token": "hunter2"}});
        assert_eq!(problems(both), ["secrets"]);
    }
}
