//! Secrets outside of the database and of the configuration.
//!
//! A service speaks to a [`SecretStore`]: read, write with check-and-set, delete. [`open`] gives the one
//! that the configuration names: Vault's API ([`VaultStore`]), or encrypted files ([`FileStore`]) for a
//! laptop. Neither ever falls back to anything weaker: what cannot be read or kept is an error.

mod config;
mod error;
mod file;
mod secret;
mod store;
mod vault;

pub use config::{FileConfig, KubernetesConfig, Problem, SecretsConfig, VaultConfig};
pub use error::SecretsError;
pub use file::FileStore;
pub use secret::{Secret, SecretPath, StoredSecret};
pub use store::{Expected, SecretStore, open};
pub use vault::VaultStore;
