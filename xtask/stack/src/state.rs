//! What a running system tells those who look into it from outside.

use serde_json::{Value, json};

use crate::Stack;

impl Stack {
    /// Addresses, passwords, tokens and processes, as `cargo xtask up` writes them to `.treaty/up.json`. All of
    /// it ends with the system.
    #[must_use]
    pub fn state(&mut self) -> Value {
        let processes: Vec<_> =
            self.processes().iter().map(|(name, pid)| json!({"name": name, "pid": pid})).collect();
        // The token may do everything in a Vault that ends with the system.
        let vault = self.vault().map(|vault| (vault.url(), vault.root_token().to_owned()));
        let (vault, vault_token) = vault.unzip();
        let addresses = self.addresses();
        json!({
            "pid": std::process::id(),
            "http": addresses.http,
            "grpc": addresses.grpc,
            "strava": addresses.strava,
            "postgres": addresses.postgres,
            "nats": addresses.nats,
            "nats_password": self.nats_password(),
            "nats_monitoring": addresses.nats_monitoring,
            "temporal": addresses.temporal,
            "vault": vault,
            "vault_token": vault_token,
            "operator_token": self.operator_token(),
            "processes": processes,
        })
    }
}
