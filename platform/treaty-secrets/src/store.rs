//! What every store does.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{FileStore, Secret, SecretPath, SecretsConfig, SecretsError, StoredSecret, VaultStore};

/// What a writer has last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is no such secret.
    Absent,
    /// It has this version.
    Version(u64),
}

impl Expected {
    /// What a reader has seen.
    #[must_use]
    pub fn after(seen: Option<&StoredSecret>) -> Self {
        seen.map_or(Self::Absent, |stored| Self::Version(stored.version))
    }

    /// The version; 0 for none.
    pub(crate) fn version(self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Version(version) => version,
        }
    }
}

/// Keeps secrets. What was written is durable when `write` returns.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// The newest version of a secret.
    ///
    /// # Errors
    /// When the store cannot be asked or the secret cannot be trusted.
    async fn read(&self, path: &SecretPath) -> Result<Option<StoredSecret>, SecretsError>;

    /// Writes a secret if it is as expected, and gives its new version.
    ///
    /// # Errors
    /// [`SecretsError::Conflict`] when it is not as expected. After any other error it is not known
    /// whether the secret was written: read it.
    async fn write(
        &self,
        path: &SecretPath,
        secret: &Secret,
        expected: Expected,
    ) -> Result<u64, SecretsError>;

    /// Removes a secret with all its versions; it may be absent already.
    ///
    /// # Errors
    /// When the store cannot be asked.
    async fn delete(&self, path: &SecretPath) -> Result<(), SecretsError>;
}

/// The store that the configuration names, once it answers.
///
/// # Errors
/// When it cannot be used, or does not answer in the time that the configuration gives it.
pub async fn open(config: &SecretsConfig) -> Result<Arc<dyn SecretStore>, SecretsError> {
    match (&config.file, &config.vault) {
        (Some(file), None) => Ok(Arc::new(FileStore::open(file).await?)),
        (None, Some(vault)) => Ok(Arc::new(VaultStore::connect(vault).await?)),
        _ => Err(SecretsError::Config(
            "secrets needs either secrets.file or secrets.vault".to_owned(),
        )),
    }
}
